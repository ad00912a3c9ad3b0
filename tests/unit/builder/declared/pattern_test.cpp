// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/pattern.h"

#include <gtest/gtest.h>

#include <chrono>

namespace builder::declared {
namespace {

TEST(DeclaredPattern, FindsTheFirstMatchWithItsGroups) {
  const auto pattern = Pattern::compile(R"((?P<file>\w+)\.sh:(?P<line>\d+)(?P<rest>!)?)").value();
  const std::string text = "x\na.sh:12\nb.sh:3!";
  const auto first = pattern.find(text);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->begin, 2U);
  EXPECT_EQ(first->end, 9U);
  EXPECT_EQ(first->first, "a");
  EXPECT_EQ(first->groups, (std::map<std::string, std::string>{{"file", "a"}, {"line", "12"}}));
  const auto second = pattern.find(text, first->end);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->begin, 10U);
  EXPECT_EQ(second->groups.at("rest"), "!");
  EXPECT_FALSE(pattern.find(text, 12));
  EXPECT_FALSE(pattern.find(text, text.size() + 1));
  EXPECT_TRUE(pattern.has_group("line"));
  EXPECT_FALSE(pattern.has_group("lines"));
}

TEST(DeclaredPattern, WithoutGroupsTheMatchIsTheFirst) {
  EXPECT_EQ(Pattern::compile("b+").value().find("abbc")->first, "bb");
  EXPECT_TRUE(Pattern::compile("").value().find(""));
}

TEST(DeclaredPattern, LinesHaveEndsAndTextsToo) {
  EXPECT_TRUE(Pattern::compile("^b$").value().matches("a\nb\nc"));
  EXPECT_FALSE(Pattern::compile("a.b").value().matches("a\nb"));
  EXPECT_FALSE(Pattern::compile(R"(\Ab)").value().matches("a\nb"));
  const auto whole = Pattern::compile_whole("a.*b").value();
  EXPECT_TRUE(whole.matches("a\nb"));
  EXPECT_FALSE(whole.matches("a\nbc"));
  EXPECT_FALSE(whole.matches("xa\nb"));
}

TEST(DeclaredPattern, BytesThatAreNoTextMatchAsTheyAre) {
  EXPECT_TRUE(Pattern::compile("é").value().matches("caf\xC3\xA9\xFF"));
  EXPECT_TRUE(Pattern::compile("x.y").value().matches(std::string("x\xFFy")));
}

TEST(DeclaredPattern, AnInvalidOneSaysWhatIsWrong) {
  const auto error = Pattern::compile("a(").error();
  EXPECT_EQ(error.kind, base::ErrorKind::bad_input);
  EXPECT_EQ(error.what, "invalid pattern: missing ): a(");
  EXPECT_EQ(Pattern::compile(R"((a)\1)").error().what, "invalid pattern: invalid escape sequence: \\1");
  EXPECT_FALSE(Pattern::compile("((((x{1000}){1000}){1000}))"));
}

TEST(DeclaredPattern, NoTextTakesLong) {
  const auto pattern = Pattern::compile("(a*)*(a|a)*b").value();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(pattern.matches(std::string(100'000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(DeclaredPattern, QuotedTextMatchesItself) {
  EXPECT_TRUE(Pattern::compile_whole(quoted_for_pattern("a.b*[c]")).value().matches("a.b*[c]"));
  EXPECT_FALSE(Pattern::compile_whole(quoted_for_pattern("a.b")).value().matches("axb"));
}

TEST(DeclaredPattern, LinesAreCountedFromOne) {
  EXPECT_EQ(line_of("", 0), 1U);
  EXPECT_EQ(line_of("a\nb\nc", 1), 1U);
  EXPECT_EQ(line_of("a\nb\nc", 2), 2U);
  EXPECT_EQ(line_of("a\nb\nc", 99), 3U);
}

}  // namespace
}  // namespace builder::declared
