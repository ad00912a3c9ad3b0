// SPDX-License-Identifier: Apache-2.0
#include "report/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "report/columns.h"

namespace report {
namespace {

using Variables = std::map<std::string, std::string>;

Variable variables_of(const Variables& variables) {
  return [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(Terminal, HyperlinksWhereTheyAreKnown) {
  for (const Variables& variables :
       {Variables{{"TERM", "xterm"}, {"VTE_VERSION", "6003"}}, Variables{{"TERM", "xterm-kitty"}},
        Variables{{"TERM", "xterm"}, {"TERM_PROGRAM", "vscode"}}, Variables{{"FORCE_HYPERLINK", "1"}},
        Variables{{"TERM", "xterm"}, {"WT_SESSION", "x"}}}) {
    EXPECT_TRUE(has_hyperlinks(variables_of(variables)));
  }
  for (const Variables& variables : {Variables{}, Variables{{"TERM", "xterm-256color"}},
                                     Variables{{"TERM", "dumb"}, {"VTE_VERSION", "6003"}},
                                     Variables{{"TERM", "xterm"}, {"VTE_VERSION", "4999"}},
                                     Variables{{"TERM", "xterm-kitty"}, {"FORCE_HYPERLINK", "0"}}}) {
    EXPECT_FALSE(has_hyperlinks(variables_of(variables)));
  }
}

TEST(Terminal, ControlSequencesAndColours) {
  EXPECT_FALSE(has_control_sequences(variables_of({})));
  EXPECT_FALSE(has_control_sequences(variables_of({{"TERM", "dumb"}})));
  EXPECT_TRUE(has_control_sequences(variables_of({{"TERM", "linux"}})));
  EXPECT_FALSE(has_colours(variables_of({{"NO_COLOR", "1"}})));
  EXPECT_TRUE(has_colours(variables_of({{"NO_COLOR", ""}})));
  EXPECT_FALSE(wraps_anew(variables_of({{"TERM", "linux"}})));
  EXPECT_FALSE(wraps_anew(variables_of({{"TERM", "xterm"}, {"XTERM_VERSION", "XTerm(372)"}})));
  EXPECT_TRUE(wraps_anew(variables_of({{"TERM", "xterm"}})));
}

TEST(Terminal, LinksAreUris) {
  const auto link = link_to_file("/a b/ü%.py", "text");
  EXPECT_TRUE(link.starts_with("\x1b]8;;file://")) << link;
  EXPECT_TRUE(link.ends_with("/a%20b/%C3%BC%25.py\x1b\\text\x1b]8;;\x1b\\")) << link;
}

TEST(Columns, AreThoseOfTheTerminal) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("進捗"), 4U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);
  EXPECT_EQ(columns_of("…"), 1U);
  EXPECT_EQ(columns_of(""), 0U);
}

TEST(Columns, WhatIsCutFits) {
  EXPECT_EQ(cut_to_columns("abc", 3), "abc");
  EXPECT_EQ(cut_to_columns("abcd", 3), "ab…");
  EXPECT_EQ(cut_to_columns("進捗進捗", 4), "進…");
  EXPECT_EQ(cut_to_columns("abcd", 0), "");
  EXPECT_EQ(cut_front_to_columns("abcd", 3), "…cd");
  EXPECT_EQ(cut_front_to_columns("進捗進捗", 4), "…捗");
}

TEST(Terminal, EachProgramWithHyperlinksIsKnown) {
  const auto has = [](const Variables& variables) { return has_hyperlinks(variables_of(variables)); };
  for (const std::string program :
       {"Hyper", "iTerm.app", "terminology", "WezTerm", "vscode", "ghostty", "zed", "rio"})
    EXPECT_TRUE(has({{"TERM", "xterm"}, {"TERM_PROGRAM", program}})) << program;
  for (const std::string term : {"xterm-kitty", "alacritty", "alacritty-direct", "xterm-ghostty", "foot"})
    EXPECT_TRUE(has({{"TERM", term}})) << term;
  for (const std::string name : {"DOMTERM", "WT_SESSION", "KONSOLE_VERSION"})
    EXPECT_TRUE(has({{"TERM", "xterm"}, {name, ""}})) << name;
  EXPECT_TRUE(has({{"TERM", "xterm"}, {"COLORTERM", "xfce4-terminal"}}));
  EXPECT_TRUE(has({{"TERM", "xterm"}, {"VTE_VERSION", "5000"}}));
  EXPECT_TRUE(has({{"FORCE_HYPERLINK", ""}}));
  for (const auto& variables : std::vector<Variables>{{{"TERM", "xterm"}},
                                                      {{"TERM", "xterm"}, {"TERM_PROGRAM", "Apple_Terminal"}},
                                                      {{"TERM", "xterm"}, {"COLORTERM", "truecolor"}},
                                                      {{"TERM", "xterm"}, {"VTE_VERSION", ""}},
                                                      {{"TERM", "xterm"}, {"VTE_VERSION", "new"}},
                                                      {{"TERM", ""}, {"WT_SESSION", "x"}},
                                                      {{"TERM", "dumb"}, {"TERM_PROGRAM", "vscode"}},
                                                      {{"FORCE_HYPERLINK", "0"}, {"TERM", "foot"}}})
    EXPECT_FALSE(has(variables));
}

TEST(Terminal, AVariableWithoutValueIsAsIfItWereNotSet) {
  EXPECT_FALSE(has_control_sequences(variables_of({{"TERM", ""}})));
  EXPECT_TRUE(has_control_sequences(variables_of({{"TERM", "dumber"}})));
  EXPECT_TRUE(has_colours(variables_of({})));
  EXPECT_TRUE(wraps_anew(variables_of({})));
  EXPECT_FALSE(wraps_anew(variables_of({{"XTERM_VERSION", ""}})));
}

TEST(Terminal, EveryByteOfAPathIsInItsLink) {
  std::string path = "/azAZ09-._~";
  EXPECT_NE(link_to_file(path, "t").find(path + "\x1b\\t"), std::string::npos);
  EXPECT_NE(link_to_file("/\x01\x7f:@[`{", "t").find("/%01%7F%3A%40%5B%60%7B\x1b\\t"), std::string::npos);
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  EXPECT_EQ(link_to_file("/a", "t"),
            "\x1b]8;;file://" + std::string(host.data()) + "/a\x1b\\t\x1b]8;;\x1b\\");
}

// In a process of its own whose standard error is a terminal of this size.
[[noreturn]] void look_at_size(unsigned short columns, unsigned short rows, const TerminalSize& expected) {
  const int near = ::posix_openpt(O_RDWR | O_NOCTTY);
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::grantpt(near) != 0 || ::unlockpt(near) != 0 || ::ioctl(near, TIOCSWINSZ, &size) != 0) ::_exit(2);
  const int far = ::ioctl(near, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  ::dup2(far, STDERR_FILENO);
  ::_exit(is_terminal() && terminal_size() == expected ? 0 : 1);
}

TEST(TerminalDeathTest, HasTheSizeThatItTells) {
  EXPECT_EXIT(look_at_size(100, 50, {.columns = 100, .rows = 50}), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(look_at_size(0, 50, {.columns = 80, .rows = 50}), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(look_at_size(1, 0, {.columns = 1, .rows = 24}), testing::ExitedWithCode(0), "");
  const auto nowhere = [] {
    ::dup2(::open("/dev/null", O_RDWR), STDERR_FILENO);
    ::_exit(!is_terminal() && terminal_size() == TerminalSize{} ? 0 : 1);
  };
  EXPECT_EXIT(nowhere(), testing::ExitedWithCode(0), "");
}

TEST(Columns, WhatFitsIsCutAtEachNumber) {
  const std::vector<std::string> cut = {"", "…", "a…", "a…", "a進…", "a進e\xcc\x81…", "a進e\xcc\x81z"};
  const std::vector<std::string> from_behind = {
      "", "…", "…z", "…e\xcc\x81z", "…e\xcc\x81z", "…進e\xcc\x81z", "a進e\xcc\x81z"};
  const std::string text = "a進e\xcc\x81z";
  ASSERT_EQ(columns_of(text), 5U);
  for (std::size_t columns = 0; columns <= 4; ++columns) {
    EXPECT_LE(columns_of(cut_to_columns(text, columns)), columns);
    EXPECT_EQ(cut_to_columns(text, columns), cut[columns]) << columns;
    EXPECT_LE(columns_of(cut_front_to_columns(text, columns)), columns);
    EXPECT_EQ(cut_front_to_columns(text, columns), from_behind[columns]) << columns;
  }
  for (const std::size_t columns : {5U, 6U}) {
    EXPECT_EQ(cut_to_columns(text, columns), text);
    EXPECT_EQ(cut_front_to_columns(text, columns), text);
  }
  EXPECT_EQ(columns_of("a\xff\xe2\x82"), 4U) << "bytes that are no character";
  EXPECT_EQ(columns_of("\n"), 0U);
}

}  // namespace
}  // namespace report
