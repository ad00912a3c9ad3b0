// SPDX-License-Identifier: Apache-2.0
// What the groups of globs capture, against recorded answers of ohmyglob (tests/golden/README.md).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "glob/glob.h"

namespace glob {
namespace {

TEST(Captures, AreThoseOfOhmyglob) {
  std::ifstream file(std::string(PACHBUILD_GOLDEN) + "/captures.jsonl");
  std::size_t compared = 0;
  for (std::string text; std::getline(file, text);) {
    const auto line = nlohmann::json::parse(text);
    const auto compiled = Glob::compile(line["glob"].get<std::string>(), Separator::slash);
    if (!compiled) continue;  // a group that is not closed is closed silently there
    const auto path = line["path"].get<std::string>();
    if (line.contains("replaced")) {
      EXPECT_EQ(compiled->replace(path, line["template"].get<std::string>()), line["replaced"]) << text;
    } else {
      nlohmann::json found;
      if (const auto captures = compiled->capture(path)) found = *captures;
      EXPECT_EQ(found, line.value("captures", nlohmann::json())) << text;
    }
    ++compared;
  }
  EXPECT_GT(compared, 1200U);
}

TEST(Captures, OfGroupsThatThePatternLacksTheFirstIsNamed) {
  const auto lacking = [](std::string_view pattern, std::string_view text) {
    return Glob::compile(pattern, Separator::slash).value().lacking_group(text);
  };
  EXPECT_EQ(lacking("/(*)-(*)", "$0 $1 ${2} $$3 $x"), "");
  EXPECT_EQ(lacking("/(*)", "$1-${2}-$3"), "$2");
  EXPECT_EQ(lacking("/*", "$1"), "$1");
  EXPECT_EQ(lacking("/*", "$01"), "") << "check_template refuses it";
  EXPECT_EQ(Glob::compile("/@(a|b)(c)*", Separator::slash).value().groups(), 2U);
}

}  // namespace
}  // namespace glob
