// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/expansion.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

const process::Environment k_environment = {
    {"NAME", "value"}, {"EMPTY", ""}, {"lower", "small"}, {"TWICE", "${NAME}"}};

TEST(Expansion, OfRequirementsIsThatOfPip) {
  EXPECT_EQ(expanded("a${NAME}b${NAME}", k_environment), "avaluebvalue");
  EXPECT_EQ(expanded("${EMPTY}|${TWICE}", k_environment), "|${NAME}") << "values are not expanded again";
  for (const std::string text : {"${lower}", "$NAME", "${UNSET}", "${NAME", "${}", "$", "${NA ME}"}) {
    EXPECT_EQ(expanded(text, k_environment), text);
  }
}

TEST(Expansion, OfAPipfileIsThatOfAShell) {
  EXPECT_EQ(expanded("$NAME/${lower}-$lower.", k_environment, Notation::shell), "value/small-small.");
  for (const std::string text : {"$UNSET", "${UNSET}", "$", "$$", "${NAME", "$-"}) {
    EXPECT_EQ(expanded(text, k_environment, Notation::shell), text);
  }
}

TEST(Expansion, TellsWhichVariablesATextHas) {
  const std::string text = "a${ONE}$two";
  const auto uses = variables_in(text, Notation::shell);
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].name, "ONE");
  EXPECT_EQ(text.substr(uses[0].begin, uses[0].end - uses[0].begin), "${ONE}");
  EXPECT_EQ(text.substr(uses[1].begin), "$two");
  EXPECT_EQ(variables_in(text).size(), 1U);
}

}  // namespace
}  // namespace builder::python
