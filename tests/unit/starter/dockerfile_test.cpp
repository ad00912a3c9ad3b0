// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/dockerfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "pachbuild/starter/shell_words.h"

namespace starter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<Instruction> parsed(const std::string& text) {
  auto instructions = parse_dockerfile(text, "Dockerfile");
  if (!instructions) {
    ADD_FAILURE() << instructions.error().where << ": " << instructions.error().what;
    return {};
  }
  return *instructions;
}

std::string fault_of(const std::string& text) {
  const auto instructions = parse_dockerfile(text, "D");
  if (instructions) return "none";
  EXPECT_EQ(instructions.error().kind, base::ErrorKind::bad_input);
  return instructions.error().where + ": " + instructions.error().what;
}

TEST(Dockerfile, KeywordsAreInCapitalsAndTextsTrimmed) {
  const auto all = parsed("from python:3.11 \nRun  pip install x\t\n\n  copy a b");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].keyword, "FROM");
  EXPECT_EQ(all[0].text, "python:3.11");
  EXPECT_EQ(all[0].line, 1U);
  EXPECT_EQ(all[1].keyword, "RUN");
  EXPECT_EQ(all[1].text, "pip install x");
  EXPECT_EQ(all[2].keyword, "COPY");
  EXPECT_EQ(all[2].line, 4U);
}

TEST(Dockerfile, AContinuedInstructionKnowsItsLines) {
  const auto all = parsed("FROM a\nRUN one && \\  \n# a comment\n\n  two \\\n  three\nCMD x");
  ASSERT_EQ(all.size(), 3U);
  const auto& run = all[1];
  EXPECT_EQ(run.text, "one && \n  two \n  three");
  EXPECT_EQ(run.line, 2U);
  EXPECT_EQ(run.line_at(0), 2U);
  EXPECT_EQ(run.line_at(run.text.find("two")), 5U);
  EXPECT_EQ(run.line_at(run.text.find("three")), 6U);
  EXPECT_EQ(all[2].line, 7U);
}

TEST(Dockerfile, WindowsLinesAndAByteOrderMarkAreRead) {
  const auto all = parsed(
      "\xEF\xBB\xBF"
      "FROM a\r\nRUN b \\\r\n c\r\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text, "a");
  EXPECT_EQ(all[1].text, "b \n c");
}

TEST(Dockerfile, TheEscapeCanBeABackquote) {
  EXPECT_EQ(parsed("# escape=`\nFROM a\nRUN b `\n c")[1].text, "b \n c");
  EXPECT_EQ(parsed("# syntax=x\n#escape = `\nFROM a\nRUN b `\n c")[1].text, "b \n c");
  // Behind a comment that is no directive it is a comment as well.
  EXPECT_EQ(parsed("# hello\n# escape=`\nFROM a\nRUN b \\\n c")[1].text, "b \n c");
  EXPECT_EQ(parsed("# escape=\\\nFROM a\nRUN b \\\n c")[1].text, "b \n c");
}

TEST(Dockerfile, FlagsComeBeforeTheText) {
  const auto all = parsed("COPY --from=x --chown=a:b c d\nCMD --x\nENTRYPOINT --y z\nRUN --mount=type=cache");
  EXPECT_THAT(all[0].flags, ElementsAre("--from=x", "--chown=a:b"));
  EXPECT_EQ(all[0].text, "c d");
  EXPECT_THAT(all[1].flags, IsEmpty());
  EXPECT_EQ(all[1].text, "--x");
  EXPECT_EQ(all[2].text, "--y z");
  EXPECT_THAT(all[3].flags, ElementsAre("--mount=type=cache"));
  EXPECT_EQ(all[3].text, "");
}

TEST(Dockerfile, TheFormOfJsonGivesWords) {
  const auto all = parsed("CMD [\"a\", \"b c\"]\nCMD [a]\nCMD [1]\nCMD []\nCMD {\"a\": 1}");
  EXPECT_THAT(all[0].exec, ElementsAre("a", "b c"));
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_THAT(all[i].exec, IsEmpty()) << i;
}

TEST(Dockerfile, AHereDocumentIsAScriptOrApart) {
  const auto all = parsed(
      "RUN <<EOF\npip install a\n# b\nEOF\nRUN python3 <<-'X'\nprint(1)\nX\nCOPY <<A <<B "
      "/x/\n1\nA\n2\nB\nCMD c");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_TRUE(all[0].is_script);
  EXPECT_TRUE(all[0].text == "pip install a\n# b\n") << all[0].text;
  EXPECT_EQ(all[0].line_at(0), 2U);
  EXPECT_FALSE(all[1].is_script);
  EXPECT_TRUE(all[1].has_heredoc);
  EXPECT_EQ(all[1].text, "python3 <<-'X'");
  EXPECT_TRUE(all[2].has_heredoc);
  EXPECT_EQ(all[3].text, "c");
  EXPECT_FALSE(all[3].has_heredoc);
  // Of other instructions it is text.
  EXPECT_FALSE(parsed("LABEL a=<<EOF\nCMD b")[0].has_heredoc);
}

TEST(Dockerfile, WhatIsWrongIsToldWithItsLine) {
  EXPECT_EQ(fault_of(""), "D: has no instruction");
  EXPECT_EQ(fault_of("# a\n\n"), "D: has no instruction");
  EXPECT_EQ(fault_of("\\"), "D: has no instruction");
  EXPECT_EQ(parsed(" \\\n \\\nFROM a").at(0).text, "a");
  EXPECT_EQ(fault_of("FROM a\n{\n"), R"(D:2: "{" is not an instruction)");
  EXPECT_EQ(fault_of("FROM a\n\nRUN \xff\n"), "D:3: is not UTF-8 text");
  EXPECT_EQ(fault_of(std::string("FROM a\0b", 8)), "D:1: is not UTF-8 text");
  EXPECT_EQ(fault_of("FROM a\nRUN <<EOF\nb\n"), R"(D:2: the here-document "EOF" does not end)");
}

TEST(Dockerfile, EveryInstructionIsKnown) {
  for (const std::string keyword :
       {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
        "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
    EXPECT_EQ(parsed(keyword + " x").at(0).keyword, keyword);
}

TEST(Expansion, VariablesAreReplaced) {
  const Variables variables = {{"A", "1"}, {"LONG_2", "two"}, {"EMPTY", ""}};
  const auto text = [&](const std::string& given) { return expand_text(given, variables).text; };
  EXPECT_EQ(text("$A-${LONG_2}/$LONG_2."), "1-two/two.");
  EXPECT_EQ(text("${A:-x}${B:-x}${EMPTY:-y}"), "1xy");
  EXPECT_EQ(text("${A:+x}${B:+x}${EMPTY:+y}"), "x");
  EXPECT_EQ(text("${B:-}"), "");
  EXPECT_EQ(text("'$A' \"$A\" \\$A"), "$A 1 $A");
  EXPECT_EQ(text(R"("a\"b\\c\d" x\ y)"), R"(a"b\c\d x y)");
  EXPECT_EQ(text("$ ${ a$"), "$ ${ a$");
  EXPECT_EQ(text("'open"), "open");
  EXPECT_EQ(text("\"open"), "open");
  EXPECT_EQ(text("end\\"), "end\\");
}

TEST(Expansion, TheFirstUnknownVariableIsTold) {
  EXPECT_EQ(expand_text("$A ${B} ${C:-c}", {{"A", ""}}).unknown, "B");
  EXPECT_EQ(expand_text("${A} $B", {}).unknown, "A");
  EXPECT_EQ(expand_text("${C:-c} '$D'", {}).unknown, "");
  EXPECT_EQ(expand_text("${C:x}", {}).unknown, "C:x");
  EXPECT_EQ(expand_words("a $B $C", {}).unknown(), "B");
  EXPECT_EQ(expand_words("a b", {}).unknown(), "");
}

TEST(Expansion, EachWordHasItsOwnUnknownVariable) {
  const auto words = expand_words("A=a B=$X/b C=${Y:-c} D=$Y", {{"X", ""}}).words;
  std::vector<std::string> all;
  for (const auto& word : words) all.push_back(word.text + " " + word.unknown);
  EXPECT_THAT(all, ElementsAre("A=a ", "B=/b ", "C=c ", "D= Y"));
}

TEST(Expansion, ThereIsALimit) {
  const Variables variables = {{"A", std::string(k_largest_expansion / 2, 'a')}, {"B", "b"}};
  EXPECT_EQ(expand_text("$A$A", variables).unknown, "");
  EXPECT_EQ(expand_text("$A$A", variables).text.size(), k_largest_expansion);
  EXPECT_FALSE(expand_text("$A$A", variables).is_too_large);
  EXPECT_EQ(expand_text("$A$A$B", variables).unknown, "B");
  EXPECT_TRUE(expand_text("$A$A$B", variables).is_too_large);
  EXPECT_FALSE(expand_text("$C", variables).is_too_large);
  EXPECT_EQ(expand_text("$A${A:-x}$B", variables).unknown, "B");
  EXPECT_TRUE(shell_commands("x $A$A", variables, false)[0].is_plain);
  EXPECT_FALSE(shell_commands("x $A$A$B", variables, false)[0].is_plain);
}

TEST(Expansion, WordsAreSplitOutsideOfQuotes) {
  EXPECT_THAT(expand_words(" a  'b c'\t\"d $X\"\n e\\ f ''", {{"X", "y z"}}).texts(),
              ElementsAre("a", "b c", "d y z", "e f", ""));
  EXPECT_THAT(expand_words(" \n", {}).texts(), IsEmpty());
}

std::vector<std::string> told(const std::string& text, bool newlines_end = false) {
  std::vector<std::string> all;
  for (const auto& command : shell_commands(text, {{"V", "1.0"}}, newlines_end))
    all.push_back(base::join(command.words, "|") + (command.is_plain ? "" : " ?") + " @" +
                  std::to_string(command.offset));
  return all;
}

TEST(ShellCommands, AreSplitAtOperators) {
  EXPECT_THAT(told("a b && c;d || e & f"), ElementsAre("a|b @0", "c @7", "d @9", "e @14", "f @18"));
  EXPECT_THAT(told("(a) ; ( b )"), ElementsAre("a @1", "b @8"));
  EXPECT_THAT(told(" && ;"), IsEmpty());
  EXPECT_THAT(told("a\nb"), ElementsAre("a|b @0"));
  EXPECT_THAT(told("a\nb", true), ElementsAre("a @0", "b @2"));
  EXPECT_THAT(told("a \\\nb", true), ElementsAre("a|b @0"));
}

TEST(ShellCommands, QuotesAndEscapesAreRemoved) {
  EXPECT_THAT(told(R"(a 'b c' "d;e" f\ g "h\"i\j")"), ElementsAre(R"(a|b c|d;e|f g|h"i\j @0)"));
  EXPECT_THAT(told("a ''"), ElementsAre("a| @0"));
  EXPECT_THAT(told("'a"), ElementsAre("a @0"));
  EXPECT_THAT(told("\"a"), ElementsAre("a @0"));
  EXPECT_THAT(told("\"a\\\nb\""), ElementsAre("ab @0"));
}

TEST(ShellCommands, KnownVariablesAreReplacedAndOthersStay) {
  EXPECT_THAT(told("x a==$V ${V} \"$V\" '$V'"), ElementsAre("x|a==1.0|1.0|1.0|$V @0"));
  EXPECT_THAT(told("a $W"), ElementsAre("a|$W ? @0"));
  EXPECT_THAT(told("a ${V"), ElementsAre("a|${V ? @0"));
  EXPECT_THAT(told("a `b`"), ElementsAre("a|`b` ? @0"));
  EXPECT_THAT(told("a \"$(b)\""), ElementsAre("a|$(b) ? @0"));
}

TEST(ShellCommands, RedirectionsAreLeftOutButNoVersions) {
  EXPECT_THAT(told("a > /dev/null 2>&1 b"), ElementsAre("a|b @0"));
  EXPECT_THAT(told("a >>x <y c"), ElementsAre("a|c @0"));
  EXPECT_THAT(told("pip install numpy>=1.2 b<2"), ElementsAre("pip|install|numpy>=1.2|b<2 @0"));
}

TEST(ShellCommands, AssignmentsCommentsPipesAndCompoundCommands) {
  EXPECT_THAT(told("A=1 B_2=x pip a=b"), ElementsAre("pip|a=b @0"));
  EXPECT_THAT(told("A=1"), IsEmpty());
  EXPECT_THAT(told("1A=x"), ElementsAre("1A=x @0"));
  EXPECT_THAT(told("=x"), ElementsAre("=x @0"));
  EXPECT_THAT(told("a # b && c\nd", true), ElementsAre("a @0", "d @11"));
  EXPECT_THAT(told("a#b"), ElementsAre("a#b @0"));
  EXPECT_THAT(told("curl x | bash && a"), ElementsAre("curl|x|bash ? @0", "a @17"));
  EXPECT_THAT(told("if a; then b; fi"), ElementsAre("if|a ? @0", "then|b ? @6", "fi ? @14"));
}

TEST(ShellCommands, TheTextIsOneLine) {
  const auto commands = shell_commands("a  'b  c' \n d && e", {}, false);
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].text, "a 'b c' d");
  EXPECT_EQ(commands[1].text, "e");
}

}  // namespace
}  // namespace starter
