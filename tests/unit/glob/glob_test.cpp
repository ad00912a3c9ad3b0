// SPDX-License-Identifier: Apache-2.0
#include "glob/glob.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>

#include "base/text.h"

namespace glob {
namespace {

bool matches(std::string_view pattern, std::string_view text, Separator separator = Separator::slash) {
  return Glob::compile(pattern, separator).value().matches(text);
}

std::string fault(std::string_view pattern) {
  const auto glob = Glob::compile(pattern, Separator::slash);
  if (glob) return "none";
  EXPECT_EQ(glob.error().kind, base::ErrorKind::bad_input);
  return glob.error().what;
}

TEST(Glob, StarStopsAtTheSeparatorAndTwoDoNot) {
  EXPECT_TRUE(matches("/*", "/a.txt"));
  EXPECT_FALSE(matches("/*", "/a/b"));
  EXPECT_TRUE(matches("/*/*", "/a/b"));
  EXPECT_TRUE(matches("/**", "/a/b/c"));
  EXPECT_FALSE(matches("/a?b", "/a/b"));
  EXPECT_TRUE(matches("*.go", "pkg/main.go", Separator::none));
  EXPECT_TRUE(matches("a?b", "a/b", Separator::none));
}

TEST(Glob, ASetMayHoldTheSeparator) {
  EXPECT_TRUE(matches("a[!b]c", "a/c"));
  EXPECT_TRUE(matches("a[/]c", "a/c"));
  EXPECT_FALSE(matches("[!a-c]", "b"));
  EXPECT_TRUE(matches("[^a-c]", "d"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("[-a]", "-"));
  EXPECT_TRUE(matches("[a-c-e]", "-"));
  EXPECT_FALSE(matches("[a-c-e]", "d"));
  EXPECT_TRUE(matches("[[]", "["));
  EXPECT_TRUE(matches("[a!]", "a")) << "a '!' negates in the first place only";
}

TEST(Glob, KnowsPosixClasses) {
  EXPECT_TRUE(matches("[[:digit:]_]", "7"));
  EXPECT_TRUE(matches("[[:digit:]_]", "_"));
  EXPECT_FALSE(matches("[[:digit:]]", "a"));
  EXPECT_TRUE(matches("[[:^digit:]]", "a"));
  EXPECT_FALSE(matches("[![:^digit:]]", "a"));
  EXPECT_TRUE(matches("[[:space:]]", "\t"));
}

TEST(Glob, AnEscapedCharacterIsItself) {
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_TRUE(matches("{a\\,b,c}", "a,b"));
  EXPECT_TRUE(matches("[\\]]", "]"));
  EXPECT_TRUE(matches("[a\\-c]", "-"));
  EXPECT_FALSE(matches("[a\\-c]", "b"));
}

TEST(Glob, GroupsNestInEachOther) {
  EXPECT_TRUE(matches("{a,{b,@(c|d)}}x", "dx"));
  EXPECT_FALSE(matches("{a,{b,@(c|d)}}x", "ex"));
  EXPECT_TRUE(matches("@({a,b}|c)", "b"));
  EXPECT_TRUE(matches("{a|b,c}", "a|b")) << "a '|' in braces is a character";
  EXPECT_TRUE(matches("(a,b|c)", "a,b")) << "and so is a ',' in parentheses";
  EXPECT_TRUE(matches("a}b)c|d,e", "a}b)c|d,e")) << "and all of them outside";
}

TEST(Glob, CharactersAreNotBytes) {
  EXPECT_TRUE(matches("?", "é"));
  EXPECT_TRUE(matches("[à-ü]", "é"));
  EXPECT_FALSE(matches("??", "é"));
  EXPECT_TRUE(matches("a*", "a\xff")) << "a name need not be UTF-8";
  EXPECT_TRUE(matches("a*b", "a\nb", Separator::none));
}

TEST(Glob, MalformedPatternsSayWhere) {
  EXPECT_EQ(fault("ab["), "character 3: unclosed '['");
  EXPECT_EQ(fault("[]"), "character 1: empty character class '[]'");
  EXPECT_EQ(fault("[!]"), "character 1: empty character class '[]'");
  EXPECT_EQ(fault("[z-a]"), "character 2: the range is in reverse order");
  EXPECT_EQ(fault("[a-"), "character 1: unclosed '['");
  EXPECT_EQ(fault("[\\"), "character 1: unclosed '['");
  EXPECT_EQ(fault("[[:alfa:]]"), "character 2: unknown character class");
  EXPECT_EQ(fault("é{a,b"), "character 2: unclosed '{'");
  EXPECT_EQ(fault("@(a"), "character 1: unclosed '('");
  EXPECT_EQ(fault("{@(a}"), "character 2: unclosed '('");
  EXPECT_EQ(fault("a\\"), "character 2: nothing follows '\\'");
  EXPECT_EQ(fault("^(a)"), "character 1: unsupported group '^(…)'; write a negation as '!(…)'");
  EXPECT_EQ(fault("a\xff"), "character 2: is not UTF-8");
  EXPECT_EQ(fault(std::string(101, '(') + std::string(101, ')')),
            "character 101: groups are nested too deeply");
  EXPECT_EQ(fault(std::string(5000, 'a')), "is longer than 4096 characters");
  EXPECT_EQ(fault(std::string(100, '(') + std::string(100, ')')), "none");
}

// Each of these takes a backtracking matcher longer than the age of the universe.
TEST(Glob, HostilePatternsAreNotSlow) {
  const std::string text = std::string(200, 'a') + "c";
  std::string stars;
  for (int i = 0; i < 50; ++i) stars += "a*";
  EXPECT_FALSE(matches(stars + "b", text));
  EXPECT_FALSE(matches("*(*(*(*(*(*(a|aa)|a)|aa)|a)|aa)|a)b", text));
  EXPECT_FALSE(matches("+(a|aa|a*)+(a|aa|a*)+(a|aa|a*)b", text));
  EXPECT_FALSE(matches("!(*!(*!(*a)*a)*a)b", text));
  EXPECT_TRUE(matches("*(*(*(*())))", ""));
}

TEST(Glob, AnswersAsTheGoLibraryDoes) {
  std::ifstream file(PACHBUILD_GOLDEN "/ohmyglob.tsv");
  std::string line;
  int answers = 0;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    const auto parts = base::split(line, '\t');
    ASSERT_EQ(parts.size(), 4U) << line;
    const auto separator = parts[1] == "/" ? Separator::slash : Separator::none;
    EXPECT_EQ(matches(parts[0], parts[2], separator), parts[3] == "1") << line;
    ++answers;
  }
  EXPECT_EQ(answers, 1000);
}

std::vector<std::string> groups(std::string_view pattern, std::string_view path) {
  auto captures = Glob::compile(pattern, Separator::slash).value().capture(path).value();
  EXPECT_EQ(captures.at(0), path);
  captures.erase(captures.begin());
  return captures;
}

std::string filled(std::string_view pattern, std::string_view path, std::string_view text) {
  return Glob::compile(pattern, Separator::slash).value().replace(path, text);
}

using Texts = std::vector<std::string>;

TEST(GlobCapture, EachParenthesisIsAGroupAndBracesAreNot) {
  EXPECT_EQ(groups("/(*)/*_STOREID(*).txt", "/a/x_STOREID12.txt"), (Texts{"a", "12"}));
  EXPECT_EQ(groups("/{a,(b)}{c,d}@(e)", "/bde"), (Texts{"b", "e"}));
  EXPECT_EQ(groups("/(a(?)(c))", "/abc"), (Texts{"abc", "b", "c"})) << "numbered by their '('";
  EXPECT_EQ(groups("/*", "/a"), Texts{});
  EXPECT_FALSE(Glob::compile("/(*)", Separator::slash).value().capture("/a/b"));
}

TEST(GlobCapture, TheFirstGroupTakesAsMuchAsItCan) {
  EXPECT_EQ(groups("/(*)-(*)", "/a-b-c"), (Texts{"a-b", "c"}));
  EXPECT_EQ(groups("/(a|ab)(*)", "/abc"), (Texts{"a", "bc"})) << "an alternative before those behind it";
  EXPECT_EQ(groups("/?(a)?(a)", "/a"), (Texts{"a", ""}));
  EXPECT_EQ(groups("/+(a)*(a)", "/aaa"), (Texts{"aaa", ""}));
}

TEST(GlobCapture, AGroupWithinALoopHasItsLastRound) {
  EXPECT_EQ(groups("/*((a)|(b))", "/ab"), (Texts{"ab", "a", "b"}));
  EXPECT_EQ(groups("/*((a|))", "/a"), (Texts{"a", ""})) << "which may have taken nothing";
  EXPECT_EQ(groups("/*(+((a|)))b", "/aab"), (Texts{"aa", "", ""}));
}

TEST(GlobCapture, NothingIsCapturedWithinANegation) {
  EXPECT_EQ(groups("/!(a|(b))/(*)", "/c/d"), (Texts{"c", "", "d"}));
  EXPECT_EQ(groups("/*(!((a)))", "/b"), (Texts{"b", "", ""}));
}

TEST(GlobCapture, ATextIsWholeCharactersAndKeepsItsBytes) {
  EXPECT_EQ(groups("/(?)(?)(*)", "/\u00e9\u20ac\U0001f600"), (Texts{"\u00e9", "\u20ac", "\U0001f600"}));
  EXPECT_EQ(groups("/(?)(*)", "/\xff\xfe"), (Texts{"\xff", "\xfe"}));
}

TEST(GlobReplace, PutsGroupsInPlaceOfTheirNumbers) {
  EXPECT_EQ(filled("/(*)/(*)", "/a/b", "$2-${1}0 $0 $$1"), "b-a0 /a/b $1");
  EXPECT_EQ(filled("/(*)", "/a", "$2${10}$11"), "") << "groups that the pattern lacks";
  EXPECT_EQ(filled("/(*)", "/a", "$x ${1 ${} $"), "$x ${1 ${} $") << "no references";
  EXPECT_EQ(filled("/(*)", "/a/b", "x$1$0$$"), "x$") << "not matched";
}

TEST(GlobReplace, NumbersThatEndPachydermsWorkerAreErrors) {
  for (const char* text : {"$01", "${00}", "a$1$1000000000", "$99999999999999999999"}) {
    const auto checked = check_template(text);
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().where, text);
    EXPECT_EQ(filled("/(*)", "/a", text), std::string_view(text).starts_with('a') ? "aa" : "");
  }
  EXPECT_EQ(check_template("$1$01").error().what, "invalid group number 01");
  for (const char* text : {"", "$0", "$10", "$999999999", "$$01", "${01", "$x"}) {
    EXPECT_TRUE(check_template(text)) << text;
  }
}

TEST(DatumKey, IgnoresTheLastSlash) {
  const auto key = [](std::string_view pattern, std::string_view path, std::string_view text) {
    return datum_key(Glob::compile(pattern, Separator::slash).value(), path, text);
  };
  EXPECT_EQ(key("/(*)", "/a/", "$1"), "a");
  EXPECT_EQ(key("/(*)", "/a", "$1"), "a");
  EXPECT_EQ(key("/", "/", "x$0"), "x") << "the root has no groups";
}

// A backtracking engine does not come to an end with these.
TEST(GlobCapture, HostilePatternsAreNotSlow) {
  const std::string text = std::string(1000, 'a') + "c";
  EXPECT_EQ(groups("((*)(*)(*)(*)(*))(*(*(*(a|aa)|a)|aa))c", text).at(1), text.substr(0, 1000));
  const auto captured = [](std::string_view pattern, std::string_view path) {
    return Glob::compile(pattern, Separator::slash).value().capture(path).has_value();
  };
  EXPECT_FALSE(captured("/((*)(*)(*)(*)(*))b", "/" + text));
  EXPECT_FALSE(captured("*(*(*(*(*(*(a|aa)|a)|aa)|a)|aa)|a)b", text));
  EXPECT_FALSE(captured("+(a|aa|a*)+(a|aa|a*)+(a|aa|a*)b", text));
  EXPECT_FALSE(captured("!(*!(*!(*a)*a)*a)b", text.substr(800)));
  EXPECT_TRUE(captured("*(*(*(*())))", ""));
}

// A matcher by definition, slow and simple: the ends of all matches of a node from a place. It shares nothing
// with the one under test, not even a parser: patterns are written from random trees.
struct Node {
  enum class Kind { text, one, name, all, set, sequence, group } kind;
  char character = 0;  // of a text, a set, or before the parenthesis of a group; ',' for braces
  std::vector<Node> children;
};

class Oracle {
 public:
  Oracle(std::string text, bool to_end) : m_text(std::move(text)), m_to_end(to_end) {}
  bool matches(const Node& node) { return ends(node, 0).contains(m_text.size()); }

 private:
  using Ends = std::set<std::size_t>;

  Ends ends(const Node& node, std::size_t from) {
    switch (node.kind) {
      case Node::Kind::text:
        return step(from, [&](char c) { return c == node.character; });
      case Node::Kind::one:
        return step(from, [](char c) { return c != '/'; });
      case Node::Kind::set:
        return step(from, [&](char c) { return c != node.character; });
      case Node::Kind::name:
        return run(from, false);
      case Node::Kind::all:
        return run(from, true);
      case Node::Kind::sequence: {
        Ends now{from};
        for (const Node& child : node.children) now = from_each(now, child);
        return now;
      }
      case Node::Kind::group:
        return group(node, from);
    }
    return {};
  }

  template <class Accepts>
  Ends step(std::size_t from, Accepts accepts) {
    return from < m_text.size() && accepts(m_text[from]) ? Ends{from + 1} : Ends{};
  }

  Ends run(std::size_t from, bool crosses) {
    Ends all{from};
    while (from < m_text.size() && (crosses || m_text[from] != '/')) all.insert(++from);
    return all;
  }

  Ends from_each(const Ends& starts, const Node& node) {
    Ends all;
    for (const std::size_t start : starts) all.merge(ends(node, start));
    return all;
  }

  Ends group(const Node& node, std::size_t from) {
    Ends once;
    for (const Node& child : node.children) once.merge(ends(child, from));
    if (node.character == '!') {
      const bool ahead = m_to_end ? once.contains(m_text.size()) : !once.empty();
      return ahead ? Ends{} : run(from, false);
    }
    Ends all = once;
    if (node.character == '?' || node.character == '*') all.insert(from);
    if (node.character == '*' || node.character == '+') {
      for (Ends open = once; !open.empty();) {
        Ends next;
        for (const Node& child : node.children) next.merge(from_each(open, child));
        open.clear();
        for (const std::size_t end : next) {
          if (all.insert(end).second) open.insert(end);
        }
      }
    }
    return all;
  }

  std::string m_text;
  bool m_to_end;
};

class Trees {
 public:
  explicit Trees(unsigned seed) : m_random(seed) {}

  Node sequence(int depth) {
    Node node{Node::Kind::sequence, 0, {}};
    for (int i = number(0, 3); i > 0; --i) node.children.push_back(one(depth));
    return node;
  }

  std::string text() {
    std::string result;
    for (int i = number(0, 7); i > 0; --i) result += pick("aaabbc/");
    return result;
  }

 private:
  int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(m_random); }
  char pick(std::string_view all) {
    return all[static_cast<std::size_t>(number(0, static_cast<int>(all.size()) - 1))];
  }

  Node one(int depth) {
    switch (number(0, depth > 0 ? 9 : 5)) {
      case 0:
        return {Node::Kind::one, 0, {}};
      case 1:
        return {Node::Kind::name, 0, {}};
      case 2:
        return {Node::Kind::all, 0, {}};
      case 3:
        return {Node::Kind::set, pick("ab/"), {}};
      case 4:
      case 5:
        return {Node::Kind::text, pick("aabbc/"), {}};
      default:
        break;
    }
    Node group{Node::Kind::group, pick("@?*+!,"), {}};
    for (int i = number(1, 3); i > 0; --i) group.children.push_back(sequence(depth - 1));
    return group;
  }

  std::mt19937 m_random;
};

// The pattern of a tree, and whether its negations hold against all of the rest (see glob.h).
struct Writer {
  std::string pattern;
  bool closed = false;
  bool to_end = true;
  bool ambiguous = false;  // two "*" after each other are not what a "*" and a "*" are

  void write(const Node& node) {
    if (node.kind == Node::Kind::text || node.kind == Node::Kind::name || node.kind == Node::Kind::all) {
      if (closed) to_end = false;
      if (node.kind != Node::Kind::text && pattern.ends_with('*')) ambiguous = true;
    }
    switch (node.kind) {
      case Node::Kind::text:
        pattern += node.character;
        return;
      case Node::Kind::one:
        pattern += '?';
        return;
      case Node::Kind::name:
        pattern += '*';
        return;
      case Node::Kind::all:
        pattern += "**";
        return;
      case Node::Kind::set:
        pattern += std::string("[!") + node.character + "]";
        return;
      case Node::Kind::sequence:
        for (const Node& child : node.children) write(child);
        return;
      case Node::Kind::group:
        break;
    }
    const bool braces = node.character == ',';
    pattern += braces ? std::string("{") : std::string(1, node.character) + "(";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) pattern += braces ? ',' : '|';
      write(node.children[i]);
    }
    pattern += braces ? '}' : ')';
    if (node.character == '!') closed = true;
  }
};

TEST(Glob, MatchesWhatTheDefinitionMatches) {
  Trees trees(20240229);
  int matched = 0;
  int asked = 0;
  while (asked < 10000) {
    const Node tree = trees.sequence(2);
    Writer writer;
    writer.write(tree);
    if (writer.ambiguous) continue;
    const Glob glob = Glob::compile(writer.pattern, Separator::slash).value();
    for (int i = 0; i < 5; ++i, ++asked) {
      const std::string text = trees.text();
      const bool expected = Oracle(text, writer.to_end).matches(tree);
      ASSERT_EQ(glob.matches(text), expected) << writer.pattern << " on " << text;
      ASSERT_EQ(glob.capture(text).has_value(), expected) << writer.pattern << " on " << text;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 1000);
}

TEST(CleanInputGlob, IsAsPachydermStoresIt) {
  EXPECT_EQ(clean_input_glob("*"), "/*");
  EXPECT_EQ(clean_input_glob("/"), "/");
  EXPECT_EQ(clean_input_glob("//a//*/"), "/a/*");
  EXPECT_EQ(clean_input_glob("/./a/../b"), "/b");
}

TEST(IsDatum, RootIsOneOfTheGlobSlashAlone) {
  const auto is = [](std::string_view pattern, std::string_view path) {
    return is_datum(Glob::compile(pattern, Separator::slash).value(), path);
  };
  EXPECT_TRUE(is("/", "/"));
  EXPECT_FALSE(is("/", "/a"));
  EXPECT_FALSE(is("/*", "/"));
  EXPECT_FALSE(is("/**", "/"));
  EXPECT_TRUE(is("/*", "/a/"));
  EXPECT_FALSE(is("/*", "/a/b"));
  EXPECT_TRUE(is("/**", "/a"));
  EXPECT_TRUE(is("/**", "/a/b"));
  EXPECT_TRUE(is("/a[0-9].{csv,tsv}", "/a1.tsv"));
}

}  // namespace
}  // namespace glob
