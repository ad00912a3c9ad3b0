// SPDX-License-Identifier: Apache-2.0
#include "base/near.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace base {
namespace {

TEST(NearName, TheClosestIsMeant) {
  const std::vector<std::string> names = {"transform", "input", "description", "tables", "go", "python"};
  EXPECT_EQ(near_name("transfrom", names), "transform");
  EXPECT_EQ(near_name("table", names), "tables");
  EXPECT_EQ(near_name("inputs", names), "input");
  EXPECT_EQ(near_name("Python", names), "python");
  EXPECT_EQ(near_name("pyhton", names), "python");
  EXPECT_EQ(near_name("input", names), "input");
}

TEST(NearName, OfSeveralTheFirst) { EXPECT_EQ(near_name("abx", {"abc", "abd"}), "abc"); }

TEST(NearName, WhatIsTooDifferentIsNotMeant) {
  EXPECT_EQ(near_name("something", {"transform", "input"}), std::nullopt);
  EXPECT_EQ(near_name("a", {"b"}), std::nullopt);
  EXPECT_EQ(near_name("ab", {"ba"}), std::nullopt);
  EXPECT_EQ(near_name("abc", {"acb"}), "acb") << "a swap is one mistake of three letters";
  EXPECT_EQ(near_name("", {"a"}), std::nullopt);
  EXPECT_EQ(near_name(std::string(101, 'x'), {std::string(100, 'x')}), std::nullopt);
  EXPECT_EQ(near_name(std::string(100, 'x'), {std::string(99, 'x')}), std::string(99, 'x'));
}

TEST(DidYouMean, IsAHintOrWhatElseThereIsToSay) {
  EXPECT_EQ(did_you_mean("table", {"tables"}), "did you mean \"tables\"?");
  EXPECT_EQ(did_you_mean("x", {"tables"}, "use another"), "use another");
}

TEST(DidYouMean, AFileIsComparedWithThoseOfItsFolder) {
  const TemporaryFolder folder = TemporaryFolder::make(testing::TempDir(), "near.").value();
  const std::string path = folder.path().string();
  ASSERT_TRUE(write_file(folder.path() / "summary.yaml", ""));
  EXPECT_EQ(did_you_mean_file(path + "/summary.yml"), "did you mean \"" + path + "/summary.yaml\"?");
  EXPECT_EQ(did_you_mean_file(path + "/sumary.json"), "did you mean \"" + path + "/summary.yaml\"?");
  ASSERT_TRUE(write_file(folder.path() / "summary.json", ""));
  EXPECT_EQ(did_you_mean_file(path + "/sumary.json"), "did you mean \"" + path + "/summary.json\"?");
  EXPECT_EQ(did_you_mean_file(path + "/other.json"), "");
  EXPECT_EQ(did_you_mean_file(path + "/sum.yaml"), "") << "the ending alone is not alike";
  EXPECT_EQ(did_you_mean_file(path + "/none/summary.yml", "make it"), "make it");
}

}  // namespace
}  // namespace base
