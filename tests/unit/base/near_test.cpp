// SPDX-License-Identifier: Apache-2.0
#include "base/near.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"

namespace base {
namespace {

TEST(NearName, DashesBeforeAnOptionDoNotCount) {
  EXPECT_EQ(near_name("--bogus", {"--logs"}), std::nullopt);
  EXPECT_EQ(near_name("--inptu", {"--image", "--input"}), "--input");
  EXPECT_EQ(near_name("-input", {"--input"}), "--input");
  EXPECT_EQ(near_name("--", {"--a", "--"}), std::nullopt);
  EXPECT_EQ(near_name("a-b", {"a--b"}), "a--b");
}

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

TEST(NearName, CountsMistakesOfEachKind) {
  // Names of six letters may have two mistakes, and of nine letters three.
  const struct {
    std::string name, candidate;
    bool is_near;
  } rows[] = {
      {"abcdef", "abcdef", true},        // none
      {"abcdef", "ABCDEF", true},        // letters of the other size are the same
      {"ABCDEF", "abcdef", true},        //
      {"AZ[@`{", "az[@`{", true},        // the first and the last letter, and what is beside them
      {"abcdef", "xbcdxf", true},        // two replaced
      {"abcdef", "xbxdxf", false},       // three
      {"abcdef", "bcdef", true},         // one is missing
      {"abcdef", "cdef", true},          // two
      {"abcdef", "def", false},          // three
      {"abcdef", "xyabcdef", true},      // two more
      {"abcdef", "xyabcdefz", false},    // three
      {"abcdef", "badcef", true},        // two swaps
      {"abcdef", "badcfe", false},       // three
      {"abcdef", "bacdxf", true},        // a swap, and one replaced
      {"abcdef", "bacxyf", false},       // and two
      {"abcdefghi", "badcfeghi", true},  // three swaps
      {"abc", "cab", false},             // which is more than a swap
      {"abc", "bac", true},              // at the beginning
      {"abc", "a", false},               //
      {"a", "a", true},                  //
  };
  for (const auto& row : rows)
    EXPECT_EQ(near_name(row.name, {row.candidate}).has_value(), row.is_near) << row.name << row.candidate;
  EXPECT_EQ(near_name("abcdef", {"abxxef", "abxdef", "abcxef", "xbxdef"}), "abxdef");
  EXPECT_EQ(near_name("abcdef", {"xxcdef", "abcdef", "abcdex"}), "abcdef");
  EXPECT_EQ(near_name("abc", {std::string(101, 'x'), "abd"}), "abd");
}

TEST(DidYouMean, QuotesTheNearest) {
  EXPECT_EQ(did_you_mean("x", {}), "");
  EXPECT_EQ(did_you_mean("tabels", {"lists", "tables"}, "use another"), "did you mean \"tables\"?");
}

TEST(DidYouMean, OfFilesThatAreAlikeTheOneWithTheNearestEnding) {
  const TemporaryFolder folder = TemporaryFolder::make(testing::TempDir(), "near.").value();
  const std::string path = folder.path().string() + "/";
  for (const std::string name :
       {"a-table.csv", "table.yaml", "table.json", "table", "tables.yml", "zable.yml"})
    ASSERT_TRUE(write_file(folder.path() / name, ""));
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"table.yml", "table.yaml"}, {"tabel.json", "table.json"},  {"table.jso", "table.json"},
      {"tabel.x", "table"},        {"tables.yaml", "tables.yml"}, {"table.quite-different", "table"},
  };
  for (const auto& [name, meant] : rows)
    EXPECT_EQ(did_you_mean_file(path + name), "did you mean \"" + path + meant + "\"?") << name;
}

TEST(DidYouMean, AFileWithoutAFolderIsOneOfTheCurrentFolder) {
  const TemporaryFolder folder = TemporaryFolder::make(testing::TempDir(), "near.").value();
  ASSERT_TRUE(write_file(folder.path() / "summary.yaml", ""));
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_EQ(did_you_mean_file("sumary.yaml"), "did you mean \"summary.yaml\"?");
  fs::current_path(before);
}

}  // namespace
}  // namespace base
