// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/text_template.h"

#include <gtest/gtest.h>

namespace builder::declared {
namespace {

std::string filled_text(const std::string& text) {
  const auto parsed = TextTemplate::parse(text);
  if (!parsed) return parsed.error().what + " (" + parsed.error().hint + ")";
  return parsed->fill([](const Name& name) -> std::optional<std::string> {
    if (name.name == "none") return std::nullopt;
    return "<" + name.name + "|" + name.argument + ">";
  });
}

TEST(DeclaredTemplate, NamesAreFilledIn) {
  EXPECT_EQ(filled_text(""), "");
  EXPECT_EQ(filled_text("plain"), "plain");
  EXPECT_EQ(filled_text("{tree}/bin/{setting:mode}"), "<tree|>/bin/<setting|mode>");
  EXPECT_EQ(filled_text("{interpreter:sh,bash}x"), "<interpreter|sh,bash>x");
  EXPECT_EQ(filled_text("{a:b:c}"), "<a|b:c>");
  EXPECT_EQ(filled_text("a{none}b"), "ab");
  EXPECT_EQ(filled_text("{}"), "<|>");
}

TEST(DeclaredTemplate, DoubledBracesAreText) {
  EXPECT_EQ(filled_text("{{a}}"), "{a}");
  EXPECT_EQ(filled_text("{{{a}}}"), "{<a|>}");
}

TEST(DeclaredTemplate, BracesThatDoNotMatchAreErrors) {
  EXPECT_EQ(filled_text("a}b"), "unmatched '}' (write {{ and }} for literal braces)");
  EXPECT_EQ(filled_text("a{b"), "unclosed '{' (write {{ and }} for literal braces)");
}

TEST(DeclaredTemplate, KnowsItsNames) {
  const auto text = TextTemplate::parse("{a}x{b:c}").value();
  EXPECT_EQ(text.names(), (std::vector<Name>{{"a", ""}, {"b", "c"}}));
  EXPECT_TRUE(text.has("b"));
  EXPECT_FALSE(text.has("x"));
  EXPECT_TRUE(text.begins_with("a"));
  EXPECT_FALSE(text.begins_with("b"));
  EXPECT_FALSE(TextTemplate::parse("x{a}")->begins_with("a"));
  EXPECT_FALSE(TextTemplate().begins_with("a"));
}

}  // namespace
}  // namespace builder::declared
