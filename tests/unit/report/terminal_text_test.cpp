// SPDX-License-Identifier: Apache-2.0
#include "report/terminal_text.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace report {
namespace {

std::string shown(std::string_view text) { return for_terminal(text, Colours::keep); }

TEST(TerminalText, HasLinesTabsAndColours) {
  EXPECT_EQ(shown("a\tb\n\nc\n"), "a\tb\n\nc\n");
  EXPECT_EQ(shown("no end"), "no end");
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("caf\u00e9 \u2713\n"), "caf\u00e9 \u2713\n");
  EXPECT_EQ(shown("\x1b[1;31mred\x1b[0m ok\n"), "\x1b[1;31mred\x1b[0m ok\n");
  EXPECT_EQ(shown("\x1b[38:5:1mred\x1b[m ok\n"), "\x1b[38:5:1mred\x1b[m ok\n");
  EXPECT_EQ(shown("\x1b[31mleft red\n"), "\x1b[31mleft red\n\x1b[0m");
  EXPECT_EQ(for_terminal("\x1b[31mred\x1b[0m\n", Colours::drop), "red\n");
}

TEST(TerminalText, OfALineThatIsWrittenOverTheLastStateStays) {
  EXPECT_EQ(shown("10%\r50%\r100%\nend\r\n"), "100%\nend\n");
  EXPECT_EQ(shown("10%\r50%\r"), "50%");
  EXPECT_EQ(shown("\r\n\r\r"), "\n");
}

TEST(TerminalText, NothingElseReachesTheTerminal) {
  EXPECT_EQ(shown("a\x1b[2J\x1b[1;1Hb\x1b[?25lc\x1b[K"), "abc");
  EXPECT_EQ(shown("\x1b]0;title\x07x\x1b]8;;http://h\x1b\\link\x1b]8;;\x1b\\"), "xlink");
  EXPECT_EQ(shown("\x1bPq#0\x1b\\y\x1b_k\x07z"), "yz");
  EXPECT_EQ(shown("bell\x07 back\x08 null" + std::string(1, '\0')), "bell\\x07 back\\x08 null\\x00");
  EXPECT_EQ(shown("\x1b"
                  "c reset \x1b(0 set"),
            "\\x1bc reset \\x1b(0 set");
  EXPECT_EQ(shown("\x1b[31"), "\\x1b[31");
  EXPECT_EQ(shown("\x1b]0;no end"), "\\x1b]0;no end");
  EXPECT_EQ(shown("\x1b"), "\\x1b");
  EXPECT_EQ(shown("\x1b[>4;2m"), "") << "a mode, not a colour";
  EXPECT_EQ(shown("a\u202e\x1b[Kz"), "a\\u202ez");
  EXPECT_EQ(shown("\xc2\x9b"
                  "2J \xff"),
            "\\xc2\\x9b"
            "2J \\xff")
      << "ESC [ in one character";
}

TEST(TerminalText, KnowsWhereASequenceEnds) {
  // The bytes that can end one are those from '@' to '~'.
  for (const std::string end : {"@", "A", "m", "~"})
    EXPECT_EQ(for_terminal("\x1b[1" + end + "x", Colours::drop), "x");
  EXPECT_EQ(shown("\x1b[1\x7fx"), "\\x1b[1\\x7fx");
  EXPECT_EQ(shown("\x1b[1\x1fx"), "\\x1b[1\\x1fx");
  EXPECT_EQ(shown("\x1b["), "\\x1b[");
  EXPECT_EQ(shown("\x1b]"), "\\x1b]");
  for (const std::string begin : {"]", "P", "_", "^", "X"}) {
    EXPECT_EQ(shown("\x1b" + begin +
                    "a\x07"
                    "b\x1b\\c"),
              "b\\x1b\\c")
        << "the nearer end";
    EXPECT_EQ(shown("\x1b" + begin +
                    "a\x1b\\"
                    "b\x07"
                    "c"),
              "b\\x07"
              "c");
    EXPECT_EQ(shown("\x1b" + begin +
                    "\x07"
                    "c"),
              "c");
    EXPECT_EQ(shown("\x1b" + begin + "\x1b\\c"), "c");
  }
  EXPECT_EQ(shown("\x1b\x1b[1mx"), "\\x1b\x1b[1mx\x1b[0m");
}

TEST(TerminalText, ColoursAreTakenBackAtTheEnd) {
  EXPECT_EQ(shown("\x1b[31ma\x1b[0m"), "\x1b[31ma\x1b[0m");
  EXPECT_EQ(shown("\x1b[31ma\x1b[m"), "\x1b[31ma\x1b[m");
  EXPECT_EQ(shown("\x1b[0ma\x1b[1m"), "\x1b[0ma\x1b[1m\x1b[0m");
  EXPECT_EQ(shown("\x1b[31ma\x1b[2J"), "\x1b[31ma\x1b[0m");
  EXPECT_EQ(shown("\x1b[31"
                  "ma\nb"),
            "\x1b[31ma\nb\x1b[0m");
  for (const std::string sequence : {"\x1b[?1m", "\x1b[>1m", "\x1b[1 m", "\x1b[1!m"})
    EXPECT_EQ(shown(sequence + "x"), "x") << sequence;
  EXPECT_EQ(for_terminal("\x1b[31ma", Colours::drop), "a");
  EXPECT_EQ(shown("\ta\t\tb"), "\ta\t\tb");
}

TEST(TerminalText, ColoursAreForWhoWantsThem) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(for_terminal("\x1b[31ma"), "a");
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(for_terminal("\x1b[31ma"), "\x1b[31ma\x1b[0m");
}

}  // namespace
}  // namespace report
