// SPDX-License-Identifier: Apache-2.0
// The patterns of .gitignore files, a kind of part after the other. tests/suites/test_ignored.py compares
// them with git.
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "glob/glob.h"

namespace glob {
namespace {

bool git_matches(const std::string& pattern, const std::string& path) {
  const auto compiled = Glob::compile_git(pattern);
  return compiled && compiled->matches(path);
}

struct Row {
  std::string pattern;
  std::vector<std::string> matched;
  std::vector<std::string> others;
};

TEST(GitPattern, MatchesWholePaths) {
  const std::vector<Row> rows = {
      {"a", {"a"}, {"", "b", "aa", "a/b", "x/a"}},
      {"a.b", {"a.b"}, {"axb", "a.", "a.bb"}},
      {"*", {"a", "abc", ""}, {"a/b", "/"}},
      {"*.o", {".o", "a.o"}, {"a.ob", "a/b.o", "ao"}},
      {"a*c", {"ac", "abc", "axxc"}, {"a/c", "ab", "bc"}},
      {"?", {"a", "?"}, {"", "/", "ab"}},
      {"a?c", {"abc", "a?c"}, {"a/c", "ac", "abbc"}},
      {"**", {"a", "a/b/c"}, {}},
      {"***", {"a", "a/b/c"}, {}},
      {"**/a", {"a", "x/a", "x/y/a"}, {"xa", "a/b", "x/ya"}},
      {"***/a", {"a", "x/y/a"}, {"xa"}},
      {"a/**", {"a/b", "a/b/c", "a/"}, {"a", "b/a", "ab"}},
      {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"ab", "a/xb", "a/b/c", "axb"}},
      {"a/**/b/**", {"a/b/c", "a/x/b/c/d"}, {"a/b", "a/x/b"}},
      {"**/a/**/b", {"a/b", "x/a/y/b"}, {"xa/b", "a/yb"}},
      // Beside other characters they are as one.
      {"a**", {"a", "abc"}, {"a/b"}},
      {"**a", {"a", "bca"}, {"b/a"}},
      {"x/a**/b", {"x/a/b", "x/ab/b"}, {"x/a/y/b", "x/ab"}},
      {"x/**a/b", {"x/a/b", "x/ba/b"}, {"x/y/a/b"}},
      // An escaped slash ends a part, and stands for a folder at least.
      {"x/**\\/a", {"x/y/a", "x/y/z/a"}, {"x/a", "x/ya"}},
      {"\\*", {"*"}, {"a", "\\*"}},
      {"\\a\\\\", {"a\\"}, {"\\a\\\\"}},
      {"[ab]c", {"ac", "bc"}, {"c", "cc", "abc", "/c"}},
      {"[!ab]", {"c", "!"}, {"a", "b", "/", ""}},
      {"[^ab]", {"c", "^"}, {"a", "/"}},
      {"[a-c]", {"a", "b", "c"}, {"-", "d", "`"}},
      {"[c-a]", {"c"}, {"a", "b", "-"}},
      {"[a-]", {"a", "-"}, {"b"}},
      {"[-a]", {"a", "-"}, {"b"}},
      {"[a-c-e]", {"b", "-", "e"}, {"d"}},
      {"[]a]", {"]", "a"}, {"b"}},
      {"[!]a]", {"b"}, {"]", "a"}},
      {"[]-a]", {"]", "^", "a"}, {"-", "b"}},
      {"[\\]a]", {"]", "a"}, {"\\"}},
      {"[\\a-c]", {"a", "b", "c"}, {"\\", "-"}},
      {"[a-\\c]", {"b", "c"}, {"\\", "-"}},
      {"[[a]", {"[", "a"}, {"b"}},
      {"[[:]", {"[", ":"}, {"a"}},
      {"[[:a]", {"[", ":", "a"}, {"b"}},
      {"[[:digit:]x]", {"1", "x"}, {"a", ":", "["}},
      {"[![:digit:]]", {"a"}, {"1", "/"}},
      {"[[:digit:]-z]", {"5", "-", "z"}, {"a", "y"}},
      {"[a-[:digit:]]", {}, {"a", "1"}},
      // A set has no slash, however it is written.
      {"a[/]b", {}, {"a/b"}},
      {"a[!x]b", {"ayb"}, {"a/b"}},
      {"a[.-0]b", {"a.b", "a0b"}, {"a/b"}},
      {"a[/-0]b", {"a0b"}, {"a/b"}},
      {"a[.-/]b", {"a.b"}, {"a/b"}},
      {"a[[:punct:]]b", {"a.b"}, {"a/b"}},
      // Characters are bytes.
      {"?", {"\xe9"}, {"\xc3\xa9"}},
      {"??", {"\xc3\xa9"}, {"a"}},
      {"\xc3\xa9*", {"\xc3\xa9t"}, {"e"}},
      {"[\xe0-\xef]", {"\xe9"}, {"\xc3"}},
      {"{a,b}", {"{a,b}"}, {"a", "b"}},
      {"a(b|c)", {"a(b|c)"}, {"ab"}},
      {"!(a)", {"!(a)"}, {"b"}},
      {"", {""}, {"a"}},
  };
  for (const auto& [pattern, matched, others] : rows) {
    for (const auto& path : matched) EXPECT_TRUE(git_matches(pattern, path)) << pattern << " and " << path;
    for (const auto& path : others) EXPECT_FALSE(git_matches(pattern, path)) << pattern << " and " << path;
  }
}

TEST(GitPattern, OfAFaultyPatternIsNone) {
  for (const std::string pattern :
       {"[",         "[a",         "[]",         "[!]",    "[^",          "[!",         "a[b-",
        "[a-",       "[\\",        "[a\\",       "a\\",    "\\",          "[[:",        "[[:alpha",
        "[[:alpha:", "[[:alpha:]", "[[:none:]]", "[[::]]", "[[:ascii:]]", "[[:word:]]", "[[:^alpha:]]"})
    EXPECT_FALSE(Glob::compile_git(pattern)) << pattern;
}

TEST(GitPattern, KnowsTheClassesOfPosix) {
  const std::vector<std::pair<std::string, int (*)(int)>> classes = {
      {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank},  {"cntrl", std::iscntrl},
      {"digit", std::isdigit}, {"graph", std::isgraph}, {"lower", std::islower},  {"print", std::isprint},
      {"punct", std::ispunct}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  for (const auto& [name, has] : classes) {
    const auto own = Glob::compile_git("[[:" + name + ":]]").value();
    for (int c = 1; c < 0x80; ++c)
      EXPECT_EQ(own.matches(std::string(1, static_cast<char>(c))), has(c) != 0 && c != '/')
          << name << " " << c;
  }
}

TEST(GitPattern, TellsWhatItsMatchesStartWith) {
  const auto prefix = [](const std::string& pattern) {
    return Glob::compile_git(pattern).value().literal_prefix();
  };
  EXPECT_EQ(prefix("a/b*c"), "a/b");
  EXPECT_EQ(prefix("*"), "");
  EXPECT_EQ(prefix("a/**/b"), "a/");
  EXPECT_EQ(Glob::compile("a/{b,c}", Separator::none).value().literal_prefix(), "a/");
  EXPECT_EQ(Glob::compile_git("a/b*c").value().pattern(), "a/b*c");
}

TEST(GitPattern, GivesNoGroups) {
  const auto captured = Glob::compile_git("(\xc3\xa9)*").value().capture("(\xc3\xa9)x");
  ASSERT_TRUE(captured);
  EXPECT_EQ(*captured, std::vector<std::string>{"(\xc3\xa9)x"});
}

}  // namespace
}  // namespace glob
