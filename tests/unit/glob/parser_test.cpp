// SPDX-License-Identifier: Apache-2.0
// What a pattern is made of, one kind of part after the other.
#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "glob/glob.h"

namespace glob {
namespace {

bool fits(const std::string& pattern, const std::string& text, Separator separator = Separator::slash) {
  const auto compiled = Glob::compile(pattern, separator);
  EXPECT_TRUE(compiled) << pattern << ": " << (compiled ? "" : compiled.error().what);
  return compiled && compiled->matches(text);
}

// The classes of POSIX are those of the C library in the locale "C".
TEST(GlobParts, EachClassHasItsCharacters) {
  const std::vector<std::pair<std::string, std::function<bool(int)>>> classes = {
      {"alnum", [](int c) { return std::isalnum(c) != 0; }},
      {"alpha", [](int c) { return std::isalpha(c) != 0; }},
      {"ascii", [](int c) { return c < 0x80; }},
      {"blank", [](int c) { return std::isblank(c) != 0; }},
      {"cntrl", [](int c) { return std::iscntrl(c) != 0; }},
      {"digit", [](int c) { return std::isdigit(c) != 0; }},
      {"graph", [](int c) { return std::isgraph(c) != 0; }},
      {"lower", [](int c) { return std::islower(c) != 0; }},
      {"print", [](int c) { return std::isprint(c) != 0; }},
      {"punct", [](int c) { return std::ispunct(c) != 0; }},
      {"space", [](int c) { return std::isspace(c) != 0; }},
      {"upper", [](int c) { return std::isupper(c) != 0; }},
      {"word", [](int c) { return std::isalnum(c) != 0 || c == '_'; }},
      {"xdigit", [](int c) { return std::isxdigit(c) != 0; }},
  };
  for (const auto& [name, has] : classes) {
    const auto own = Glob::compile("[[:" + name + ":]]", Separator::slash).value();
    const auto others = Glob::compile("[[:^" + name + ":]]", Separator::slash).value();
    const auto negated = Glob::compile("[![:" + name + ":]]", Separator::slash).value();
    for (int c = 0; c < 0x80; ++c) {
      const std::string text(1, static_cast<char>(c));
      EXPECT_EQ(own.matches(text), has(c)) << name << " " << c;
      EXPECT_EQ(others.matches(text), !has(c)) << name << " " << c;
      EXPECT_EQ(negated.matches(text), !has(c)) << name << " " << c;
    }
    EXPECT_FALSE(own.matches("ä")) << name;
    EXPECT_TRUE(others.matches("ä")) << name;
    EXPECT_TRUE(others.matches("😀")) << name;
  }
}

TEST(GlobParts, AFaultNamesItsCharacter) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"ä\\", "character 2: nothing follows '\\'"},
      {"a\xff", "character 2: is not UTF-8"},
      {"\\\xff", "character 1: is not UTF-8"},
      {"[a\xff]", "character 3: is not UTF-8"},
      {"[\\\xff]", "character 2: is not UTF-8"},
      {"a(b", "character 2: unclosed '('"},
      {"(b}", "character 1: unclosed '('"},
      {"a*(b", "character 2: unclosed '('"},
      {"xy{b", "character 3: unclosed '{'"},
      {"{b)", "character 1: unclosed '{'"},
      {"a[", "character 2: unclosed '['"},
      {"a[b", "character 2: unclosed '['"},
      {"a[b-", "character 2: unclosed '['"},
      {"a[\\", "character 2: unclosed '['"},
      {"a[b-\\", "character 2: unclosed '['"},
      {"a[]", "character 2: empty character class '[]'"},
      {"a[!]", "character 2: empty character class '[]'"},
      {"a[z-b]", "character 3: the range is in reverse order"},
      {"[az-b]", "character 3: the range is in reverse order"},
      {"a[[:none:]]", "character 3: unknown character class"},
      {"a[[:alpha]]", "character 3: unknown character class"},
      {"a[x[::]]", "character 4: unknown character class"},
      {"ab^(c)", "character 3: unsupported group '^(…)'; write a negation as '!(…)'"},
  };
  for (const auto& [pattern, what] : rows) {
    const auto compiled = Glob::compile(pattern, Separator::slash);
    ASSERT_FALSE(compiled) << pattern;
    EXPECT_EQ(compiled.error().what, what) << pattern;
    EXPECT_EQ(compiled.error().where, pattern);
    EXPECT_EQ(compiled.error().kind, base::ErrorKind::bad_input);
  }
  const auto longer = Glob::compile(std::string(4097, 'x'), Separator::slash);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().where, std::string(40, 'x') + "…");
  EXPECT_EQ(longer.error().what, "is longer than 4096 characters");
  const auto deep = Glob::compile(std::string(101, '(') + std::string(101, ')'), Separator::slash);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().what, "character 101: groups are nested too deeply");
  std::string beside;
  for (int i = 0; i < 150; ++i) beside += "(a)";
  EXPECT_TRUE(Glob::compile(beside, Separator::slash)) << "beside each other any number is fine";
}

TEST(GlobParts, RangesHaveTheirEndsAndOneCharacterIsARange) {
  for (const auto& [text, is_in] : std::vector<std::pair<std::string, bool>>{
           {"a", false}, {"b", true}, {"c", true}, {"d", true}, {"e", false}, {"", false}, {"bb", false}})
    EXPECT_EQ(fits("[b-d]", text), is_in) << text;
  EXPECT_TRUE(fits("[b-b]", "b"));
  EXPECT_FALSE(fits("[b-b]", "c"));
  for (const std::string text : {"a", "-", "z"}) EXPECT_TRUE(fits("[az-]", text)) << text;
  EXPECT_FALSE(fits("[az-]", "b"));
  EXPECT_TRUE(fits("[\\]]", "]"));
  EXPECT_TRUE(fits("[\\a-\\c]", "b"));
  EXPECT_TRUE(fits("[a\\-c]", "-"));
  EXPECT_FALSE(fits("[a\\-c]", "b"));
  EXPECT_TRUE(fits("[^a]", "b"));
  EXPECT_FALSE(fits("[^a]", "a"));
  EXPECT_TRUE(fits("[!^]", "a"));
  EXPECT_TRUE(fits("[ä-ü]", "ö"));
  EXPECT_FALSE(fits("[ä-ü]", "ý"));
}

TEST(GlobParts, GroupsRepeatAsTheirSignSays) {
  const std::vector<std::string> texts = {"xy", "xay", "xby", "xaay", "xaby", "xababy", "xcy"};
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"x(a|b)y", "0110000"},  {"x@(a|b)y", "0110000"},     {"x?(a|b)y", "1110000"}, {"x+(a|b)y", "0111110"},
      {"x*(a|b)y", "1111110"}, {"x!(a|b)y", "1000001"},     {"x{a,b}y", "0110000"},  {"x{,a,b}y", "1110000"},
      {"x(|a)y", "1100000"},   {"x{a,b}{a,b}y", "0001100"},
  };
  for (const auto& [pattern, expected] : rows) {
    std::string found;
    for (const auto& text : texts) found += fits(pattern, text) ? "1" : "0";
    EXPECT_EQ(found, expected) << pattern;
  }
}

TEST(GlobParts, StarsAndQuestionMarksKnowTheSeparator) {
  for (const auto& [pattern, text, with_slash, without] :
       std::vector<std::tuple<std::string, std::string, bool, bool>>{{"*", "a/b", false, true},
                                                                     {"**", "a/b", true, true},
                                                                     {"?", "/", false, true},
                                                                     {"?", "a", true, true},
                                                                     {"?", "", false, false},
                                                                     {"*", "", true, true},
                                                                     {"a?b", "a/b", false, true},
                                                                     {"***", "a/b", true, true},
                                                                     {"**(a)", "a/baa", false, true},
                                                                     {"[/]", "/", true, true}}) {
    EXPECT_EQ(fits(pattern, text, Separator::slash), with_slash) << pattern << " " << text;
    EXPECT_EQ(fits(pattern, text, Separator::none), without) << pattern << " " << text;
  }
}

TEST(GlobParts, ATemplateHasNumbersOfGroups) {
  const auto glob = Glob::compile("(a)-(b)", Separator::slash).value();
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{{"$1", "a"},
                                                                                       {"$2$1", "ba"},
                                                                                       {"${1}0", "a0"},
                                                                                       {"$0", "a-b"},
                                                                                       {"$3", ""},
                                                                                       {"$$1", "$1"},
                                                                                       {"$", "$"},
                                                                                       {"a$", "a$"},
                                                                                       {"${1", "${1"},
                                                                                       {"x$1y", "xay"},
                                                                                       {"", ""}})
    EXPECT_EQ(glob.replace("a-b", text), expected) << text;
  EXPECT_EQ(glob.replace("other", "<$1>"), "<>");
}

}  // namespace
}  // namespace glob
