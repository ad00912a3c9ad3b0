// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(FormatNumber, GroupsDigits) {
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(999), "999");
  EXPECT_EQ(format_number(1000), "1,000");
  EXPECT_EQ(format_number(2'176'782'336), "2,176,782,336");
}

TEST(Shortened, KeepsBeginningAndEndInWholeCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcdefghij", 6), "abcd … ij");
  // Each of these characters has three bytes: none is cut.
  std::string text;
  for (int i = 0; i < 100; ++i) text += "€";
  for (std::size_t limit = 1; limit < 40; ++limit) {
    const auto result = shortened(text, limit);
    for (std::size_t at = 0; at < result.size();) {
      const auto length = utf8_length(std::string_view(result).substr(at));
      ASSERT_GT(length, 0U) << limit;
      at += length;
    }
  }
  EXPECT_LE(shortened(std::string(1000, '\x80'), 30).size(), 40U) << "not UTF-8 at all";
}

TEST(Quoted, ShowsALongTextsBeginning) {
  EXPECT_EQ(base::quoted("a b"), "\"a b\"");
  EXPECT_LT(base::quoted(std::string(1 << 20, 'x')).size(), 140U);
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a::b:", ':'), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ':'), std::vector<std::string>{""});
}

TEST(Trim, RemovesWhiteSpaceAtTheEndsOnly) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(LastLine, SkipsBlankLines) {
  EXPECT_EQ(last_line("first\n  second \r\n\n \n"), "second");
  EXPECT_EQ(last_line("one"), "one");
  EXPECT_EQ(last_line(" \n"), "");
}

TEST(Base64, IsThatOfTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfb"), "//77");
}

TEST(Utf8Length, IsZeroForWhatIsNotPrintable) {
  EXPECT_EQ(utf8_length(""), 0U);
  EXPECT_EQ(utf8_length("\n"), 0U);
  EXPECT_EQ(utf8_length("\x7f"), 0U);
  EXPECT_EQ(utf8_length("\xC2\x85"), 0U) << "a C1 control character";
  EXPECT_EQ(utf8_length("\xC0\xAF"), 0U) << "overlong";
  EXPECT_EQ(utf8_length("\xED\xA0\x80"), 0U) << "a surrogate";
  EXPECT_EQ(utf8_length("\xF4\x90\x80\x80"), 0U) << "beyond U+10FFFF";
  EXPECT_EQ(utf8_length("\xE2\x82"), 0U) << "cut short";
}

TEST(Utf8Length, IsTheLengthOfTheFirstCharacter) {
  EXPECT_EQ(utf8_length("ab"), 1U);
  EXPECT_EQ(utf8_length("éa"), 2U);
  EXPECT_EQ(utf8_length("€a"), 3U);
  EXPECT_EQ(utf8_length("😀a"), 4U);
}

TEST(ShellQuote, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(shell_quote("/pfs/in-1.txt"), "/pfs/in-1.txt");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's $5"), "'it'\\''s $5'");
}

TEST(FormatBytes, ChangesUnitBeforeFourDigits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1.0 MiB");
}

TEST(FormatDuration, HasTheUnitThatReadsBest) {
  using namespace std::chrono_literals;
  EXPECT_EQ(format_duration(12ms), "12 ms");
  EXPECT_EQ(format_duration(1440ms), "1.4 s");
  EXPECT_EQ(format_duration(125s), "2 min 5 s");
}

}  // namespace
}  // namespace base
