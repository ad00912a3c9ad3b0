// SPDX-License-Identifier: Apache-2.0
#include "report/help_lines.h"

#include <gtest/gtest.h>

namespace report {
namespace {

const std::string k_long(50, 'a');  // no two fit into a line

TEST(HelpLines, WordsAreInLinesOfAtMostSoManyColumns) {
  EXPECT_EQ(in_lines("a bc  d\ne", 4), "a bc\nd e");
  EXPECT_EQ(in_lines("abcdef g", 4), "abcdef\ng");
  EXPECT_EQ(in_lines("\xe2\x80\xa6\xe2\x80\xa6 bc d", 5), "\xe2\x80\xa6\xe2\x80\xa6 bc\nd");
  EXPECT_EQ(in_lines("", 4), "");
}

TEST(HelpLines, ParagraphsAreFoldedAnew) {
  EXPECT_EQ(fold_help("\n\n" + k_long + "\n" + k_long + " b\nc\n\nd\n\n"),
            k_long + "\n" + k_long + " b c\n\nd\n");
  EXPECT_EQ(fold_help(""), "");
  EXPECT_EQ(fold_help("\n\n"), "");
}

TEST(HelpLines, AHeadingStaysAlone) {
  EXPECT_EQ(fold_help("Two examples:\nof which\n"), "Two examples:\nof which\n");
}

TEST(HelpLines, MeaningsStayBesideTheirNames) {
  EXPECT_EQ(fold_help("Environment:\n  A    " + k_long + " " + k_long + "\n  BCD  e\n       f\n"),
            "Environment:\n  A    " + k_long + "\n       " + k_long + "\n  BCD  e f\n");
}

TEST(HelpLines, ExamplesStayAsTheyAre) {
  const std::string example = "  program run " + k_long + " " + k_long;
  EXPECT_EQ(fold_help("Text.\n\n" + example + "\n"), "Text.\n\n" + example + "\n");
  EXPECT_EQ(fold_help(example + "\n  program      b\n"), example + "\n  program      b\n");
  EXPECT_EQ(fold_help(example + "   what it does\n"), example + "   what it does\n");
}

TEST(HelpLines, ExitCodesAreSentences) {
  EXPECT_EQ(fold_help("Exit codes:\n  0 " + k_long + ",\n  1 " + k_long + "\n\n  example\n"),
            "Exit codes:\n  0 " + k_long + ", 1\n  " + k_long + "\n\n  example\n");
}

}  // namespace
}  // namespace report
