// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Words, AreWhatStandsBetweenWhiteSpace) {
  EXPECT_EQ(words(" a\tb  c\n\v\f\rd "), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(words("one"), std::vector<std::string>{"one"});
  EXPECT_TRUE(words(" \n").empty());
  EXPECT_TRUE(words("").empty());
}

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

TEST(Contains, LooksForAPartOrACharacter) {
  EXPECT_TRUE(contains("abc", "bc") && contains("abc", "") && contains("abc", 'a'));
  EXPECT_FALSE(contains("abc", "ac") || contains("abc", 'd') || contains("", 'a'));
}

TEST(Lower, ChangesTheLettersOfAsciiOnly) { EXPECT_EQ(lower("AZ[@`az 09\xC3\x84"), "az[@`az 09\xC3\x84"); }

TEST(FirstLine, IsTrimmed) {
  EXPECT_EQ(first_line(" first \r\nsecond"), "first");
  EXPECT_EQ(first_line("\nsecond"), "");
  EXPECT_EQ(first_line("one"), "one");
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

TEST(FromBase64, TakesWhatBase64Gives) {
  for (const std::string text : {"", "f", "fo", "foo", "foobar", "\xff\xfe\xfb"})
    EXPECT_EQ(from_base64(base64(text)), text);
  EXPECT_EQ(from_base64("Zm9v\r\nYmFy\n"), "foobar");
  for (const char* const text :
       {"Z", "Zg", "Zg=", "Zg=a", "Z===", "====", "Zg==Zg==", "Zm9 ", "Zm9-", "Zm9v Zm9"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
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

TEST(ReplaceAll, LeavesWhatItHasPutThereAlone) {
  const struct {
    std::string text, from, to, expected;
  } rows[] = {{"aba", "a", "aa", "aabaa"}, {"aaaa", "aa", "a", "aa"},  {"abc", "x", "y", "abc"},
              {"abab", "ab", "", ""},      {"aaa", "aa", "b", "ba"},   {"abc", "", "x", "abc"},
              {"", "a", "b", ""},          {"xax", "x", "xx", "xxaxx"}};
  for (const auto& row : rows) {
    std::string text = row.text;
    replace_all(text, row.from, row.to);
    EXPECT_EQ(text, row.expected) << row.text << " " << row.from;
  }
}

// The first and the last of each length, and what is just outside.
TEST(Utf8Length, HasTheBoundariesOfTheStandard) {
  for (const auto& [text, length] : std::vector<std::pair<std::string, std::size_t>>{{"\x1f", 0},
                                                                                     {" ", 1},
                                                                                     {"~", 1},
                                                                                     {"\x80", 0},
                                                                                     {"\xBF", 0},
                                                                                     {"\xC1\xBF", 0},
                                                                                     {"\xC2\x9F", 0},
                                                                                     {"\xC2\xA0", 2},
                                                                                     {"\xC2\xC0", 0},
                                                                                     {"\xC3\x80", 2},
                                                                                     {"\xDF\xBF", 2},
                                                                                     {"\xDF\xC0", 0},
                                                                                     {"\xE0\x9F\xBF", 0},
                                                                                     {"\xE0\xA0\x80", 3},
                                                                                     {"\xE1\x80\x80", 3},
                                                                                     {"\xE1\x7F\x80", 0},
                                                                                     {"\xEC\xBF\xBF", 3},
                                                                                     {"\xED\x9F\xBF", 3},
                                                                                     {"\xED\xA0\x80", 0},
                                                                                     {"\xEE\x80\x80", 3},
                                                                                     {"\xEF\xBF\xBF", 3},
                                                                                     {"\xEF\xBF\xC0", 0},
                                                                                     {"\xF0\x8F\xBF\xBF", 0},
                                                                                     {"\xF0\x90\x80\x80", 4},
                                                                                     {"\xF0\x90\x80", 0},
                                                                                     {"\xF0\x90\x80\x7F", 0},
                                                                                     {"\xF0\x90\x7F\x80", 0},
                                                                                     {"\xF1\x80\x80\x80", 4},
                                                                                     {"\xF4\x8F\xBF\xBF", 4},
                                                                                     {"\xF4\x90\x80\x80", 0},
                                                                                     {"\xF5\x80\x80\x80", 0},
                                                                                     {"\xFF", 0}}) {
    EXPECT_EQ(utf8_length(text), length) << testing::PrintToString(text);
  }
}

TEST(FormatBytes, HasAUnitForAllSizes) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::uint64_t, std::string>>{{1024, "1.0 KiB"},
                                                          {1023 * 1024, "1023.0 KiB"},
                                                          {std::uint64_t{1} << 20, "1.0 MiB"},
                                                          {std::uint64_t{5} << 30, "5.0 GiB"},
                                                          {std::uint64_t{3} << 40, "3.0 TiB"},
                                                          {std::uint64_t{1} << 50, "1.0 PiB"},
                                                          {~std::uint64_t{0}, "16.0 EiB"}}) {
    EXPECT_EQ(format_bytes(bytes), text);
  }
}

TEST(FormatDuration, ChangesItsUnit) {
  using namespace std::chrono_literals;
  EXPECT_EQ(format_duration(0ms), "0 ms");
  EXPECT_EQ(format_duration(999ms), "999 ms");
  EXPECT_EQ(format_duration(1000ms), "1.0 s");
  EXPECT_EQ(format_duration(59'900ms), "59.9 s");
  EXPECT_EQ(format_duration(60s), "1 min 0 s");
  EXPECT_EQ(format_duration(61min + 1s), "61 min 1 s");
}

TEST(CountOf, HasAPlural) {
  EXPECT_EQ(count_of(0, "datum"), "0 datums");
  EXPECT_EQ(count_of(1, "datum"), "1 datum");
  EXPECT_EQ(count_of(2, "datum"), "2 datums");
  EXPECT_EQ(noun_for(1, "file"), "file");
  EXPECT_EQ(noun_for(0, "file"), "files");
}

TEST(ShellQuote, LeavesNothingThatAShellKnows) {
  for (const std::string text : {" ", "a b", "$a", "`a`", "a;b", "a|b", "a&b", "a*", "?", "~x", "\"", "\\",
                                 "\n", "(", "<", "#a", "!", "{a}", "é"}) {
    EXPECT_EQ(shell_quote(text), "'" + text + "'");
  }
  for (const std::string text : {"a", "A-Z_0.9", "a=b", "x@y:z", "a,b", "+1", "%"})
    EXPECT_EQ(shell_quote(text), text);
  EXPECT_EQ(shell_quote("''"), "''\\'''\\'''");
}

TEST(Shortened, KeepsTwoThirdsOfItFromTheBeginning) {
  const struct {
    std::string text;
    std::size_t limit;
    std::string expected;
  } rows[] = {
      {"", 0, ""},
      {"abc", 4, "abc"},
      {"abcd", 3, "ab … d"},
      {"abcdefghijkl", 9, "abcdef … jkl"},
      {"abcdefgh", 0, " … "},
      // Whole characters, of which one that is cut goes.
      {"€€€€", 6, "€ … "},
      {"aé€b😀c", 9, "aé€ … c"},
      // What is not UTF-8 loses three bytes at the most.
      {std::string(10, '\x80'), 9, "\x80\x80\x80 … "},
      {std::string(20, '\x80'), 15, std::string(7, '\x80') + " … \x80\x80"},
      {std::string(10, '\x80'), 3, " … "},
  };
  for (const auto& row : rows) EXPECT_EQ(shortened(row.text, row.limit), row.expected) << row.limit;
}

TEST(FromBase64, TakesAllBytesAndEachPadding) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes += static_cast<char>(byte);
    EXPECT_EQ(from_base64(base64(bytes)), bytes) << byte;
  }
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64("\n"), "");
  EXPECT_EQ(from_base64("\r\r\nZg==\n"), "f");
  for (const char* const text : {"=", "==", "===", "Z=g=", "=Zg=", "Zg=\t=", "Zm9vYg", "Zm9vYg=", "Zm9_"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

TEST(ParseSize, KnowsTheUnitsOfTwoPowers) {
  const std::vector<std::pair<std::string, std::uint64_t>> rows = {
      {"0", 0},
      {"7", 7},
      {"7B", 7},
      {" 7 B ", 7},
      {"3KiB", 3ULL << 10},
      {"3 MiB", 3ULL << 20},
      {"3GiB", 3ULL << 30},
      {"3\tTiB", 3ULL << 40},
  };
  for (const auto& [text, size] : rows) EXPECT_EQ(parse_size(text), size) << text;
  for (const char* const text : {"", " ", "B", "-1", "+1", "1.5GiB", "1k", "1kib", "1KB", "1 K iB", "1 2"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(FormatBytes, TakesTheNextUnitWhereItWouldRoundUp) {
  EXPECT_EQ(format_bytes(1), "1 B");
  EXPECT_EQ(format_bytes(1024 * 1023 + 972), "1023.9 KiB");
  EXPECT_EQ(format_bytes(1024 * 1023 + 973), "1.0 MiB");
  EXPECT_EQ(format_bytes((std::uint64_t{1023} << 50) + (std::uint64_t{980} << 40)), "1.0 EiB");
}

TEST(FormatNumber, PutsACommaBeforeEachThreeDigits) {
  EXPECT_EQ(format_number(12), "12");
  EXPECT_EQ(format_number(123'456), "123,456");
  EXPECT_EQ(format_number(1'000'000), "1,000,000");
  EXPECT_EQ(format_number(~std::uint64_t{0}), "18,446,744,073,709,551,615");
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "", "a"}, ", "), "a, , a");
  EXPECT_EQ(join({}, ", ", " or "), "");
  EXPECT_EQ(join({"a"}, ", ", " or "), "a");
  EXPECT_EQ(join({"a", "b"}, ", ", " or "), "a or b");
  EXPECT_EQ(join({"a", "a", "a"}, ", ", " or "), "a, a or a");
}

TEST(Trim, KnowsAllWhiteSpace) {
  EXPECT_EQ(trim("\v\f\r\n\t a\v\f\r\n\t "), "a");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(""), "");
}

TEST(Numbers, AreDecimalDigitsAlone) {
  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "max", "18446744073709551616"})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("007"), 7U);
  EXPECT_EQ(parse_number("18446744073709551615"), 18'446'744'073'709'551'615U);
}

TEST(Hexadecimal, HasTwoDigitsOfEachByte) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\x10\x7f\x80\xff", 6)), "000f107f80ff");
}

}  // namespace
}  // namespace base
