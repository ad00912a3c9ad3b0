// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/ini.h"

#include <gtest/gtest.h>

namespace builder::data {
namespace {

TEST(Ini, IsReadAsConfigparserDoes) {
  const auto ini = parse_ini(
      "outside = 1\n"
      "[a.b]\n; a comment\none = 1\n Two: x = y\n"
      "list =\n    first\n# between\n\n\tsecond = 2 \n[ not a section\n"
      "[c]\n  key = behind a section\n[a.b]\none = 3\r\n");
  ASSERT_EQ(ini.size(), 2U);
  EXPECT_EQ(find_option(ini, "a.b", "one")->value, "3") << "the last counts";
  EXPECT_EQ(find_option(ini, "a.b", "one")->line, 15);
  EXPECT_EQ(find_option(ini, "a.b", "list")->value, "\nfirst\nsecond = 2");
  EXPECT_EQ(find_option(ini, "a.b", "Two"), nullptr) << "an indented line belongs to what is above";
  EXPECT_EQ(ini.at("a.b").front().value, "1\nTwo: x = y");
  EXPECT_EQ(find_option(ini, "c", "key")->value, "behind a section");
  EXPECT_EQ(find_option(ini, "d", "key"), nullptr);
}

}  // namespace
}  // namespace builder::data
