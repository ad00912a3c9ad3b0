// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/versions.h"

#include <gtest/gtest.h>

namespace builder::declared {
namespace {

// "yes", "no", or "?" where it cannot be told.
std::string range_fits(const std::string& version, const std::string& range,
                       Comparison comparison = Comparison::semver_range) {
  const auto fits = version_fits(version, range, comparison);
  return !fits ? "?" : *fits ? "yes" : "no";
}

TEST(DeclaredVersions, HaveNames) {
  EXPECT_EQ(comparison_of("prefix"), Comparison::prefix);
  EXPECT_EQ(comparison_of("minor"), Comparison::minor);
  EXPECT_EQ(comparison_of("at-least"), Comparison::at_least);
  EXPECT_EQ(comparison_of("semver-range"), Comparison::semver_range);
  EXPECT_EQ(comparison_of("most"), std::nullopt);
}

TEST(DeclaredVersions, PrefixComparesWhatIsGiven) {
  EXPECT_EQ(range_fits("18.19.0", "18", Comparison::prefix), "yes");
  EXPECT_EQ(range_fits("v18.19.0", "v18.19.0", Comparison::prefix), "yes");
  EXPECT_EQ(range_fits("18.19.0", "18.1", Comparison::prefix), "no");
  EXPECT_EQ(range_fits("18", "18.1", Comparison::prefix), "no");
  EXPECT_EQ(range_fits("18.19.0", "18.x", Comparison::prefix), "yes");
  EXPECT_EQ(range_fits("18.19.0", "lts/*", Comparison::prefix), "?");
  EXPECT_EQ(range_fits("nightly", "18", Comparison::prefix), "?");
  EXPECT_EQ(range_fits("18", "", Comparison::prefix), "?");
  EXPECT_EQ(range_fits("*", "18", Comparison::prefix), "?");
}

TEST(DeclaredVersions, ANameInFrontIsPassedOver) {
  EXPECT_EQ(range_fits("3.1.2", "ruby-3.1.2\r", Comparison::prefix), "yes");
  EXPECT_EQ(range_fits("3.1.2", "ruby-3.2", Comparison::prefix), "no");
  EXPECT_EQ(range_fits("1.22", "go1.21", Comparison::at_least), "yes");
  EXPECT_EQ(range_fits("1.20", "go1.21", Comparison::at_least), "no");
  EXPECT_EQ(range_fits("18.1", "node", Comparison::prefix), "?");
  EXPECT_EQ(range_fits("18.1", "=18", Comparison::prefix), "yes");
  EXPECT_EQ(range_fits("18.1", "-18", Comparison::prefix), "?");
}

TEST(DeclaredVersions, MinorComparesTwoParts) {
  EXPECT_EQ(range_fits("4.2.2", "4.2.9", Comparison::minor), "yes");
  EXPECT_EQ(range_fits("4.2.2", "4.3.2", Comparison::minor), "no");
  EXPECT_EQ(range_fits("4.2.2", "4", Comparison::minor), "yes");
}

TEST(DeclaredVersions, AtLeastComparesNumbers) {
  EXPECT_EQ(range_fits("1.65.0", "1.65", Comparison::at_least), "yes");
  EXPECT_EQ(range_fits("1.9", "1.65", Comparison::at_least), "no");
  EXPECT_EQ(range_fits("1.65", "1.65.1", Comparison::at_least), "no");
  EXPECT_EQ(range_fits("2", "1.65", Comparison::at_least), "yes");
}

TEST(DeclaredVersions, RangesOfComparators) {
  EXPECT_EQ(range_fits("18.2.0", ">=18.2 <20"), "yes");
  EXPECT_EQ(range_fits("18.1.9", ">=18.2 <20"), "no");
  EXPECT_EQ(range_fits("20.0.0", ">=18.2 <20"), "no");
  EXPECT_EQ(range_fits("18.2.0", ">= 18.2"), "yes");
  EXPECT_EQ(range_fits("18.2.5", ">18.2"), "no");
  EXPECT_EQ(range_fits("18.3.0", ">18.2"), "yes");
  EXPECT_EQ(range_fits("18.2.5", ">18.2.5"), "no");
  EXPECT_EQ(range_fits("18.2.6", ">18.2.5"), "yes");
  EXPECT_EQ(range_fits("18.2.5", "<=18.2"), "yes");
  EXPECT_EQ(range_fits("18.3.0", "<=18.2"), "no");
  EXPECT_EQ(range_fits("18.2.5", "=18.2.5"), "yes");
  EXPECT_EQ(range_fits("18.2.5", "18.2.4"), "no");
  EXPECT_EQ(range_fits("18.2.5", "*"), "yes");
  EXPECT_EQ(range_fits("18.2.5", ""), "yes");
  EXPECT_EQ(range_fits("18.2.5", "18.x"), "yes");
}

TEST(DeclaredVersions, RangesOfCompatibleVersions) {
  EXPECT_EQ(range_fits("1.9.0", "^1.2.3"), "yes");
  EXPECT_EQ(range_fits("1.2.2", "^1.2.3"), "no");
  EXPECT_EQ(range_fits("2.0.0", "^1.2.3"), "no");
  EXPECT_EQ(range_fits("0.2.9", "^0.2.3"), "yes");
  EXPECT_EQ(range_fits("0.3.0", "^0.2.3"), "no");
  EXPECT_EQ(range_fits("0.0.4", "^0.0.3"), "no");
  EXPECT_EQ(range_fits("0.0.3", "^0.0.3"), "yes");
  EXPECT_EQ(range_fits("5.0.0", "^*"), "yes");
  EXPECT_EQ(range_fits("1.2.9", "~1.2.3"), "yes");
  EXPECT_EQ(range_fits("1.3.0", "~1.2.3"), "no");
  EXPECT_EQ(range_fits("1.9.0", "~1"), "yes");
  EXPECT_EQ(range_fits("2.0.0", "~1"), "no");
  EXPECT_EQ(range_fits("5.0.0", "~*"), "yes");
}

TEST(DeclaredVersions, RangesOfAlternatives) {
  EXPECT_EQ(range_fits("16.1.0", "^14 || >=16 <17"), "yes");
  EXPECT_EQ(range_fits("14.1.0", "^14||>=16 <17"), "yes");
  EXPECT_EQ(range_fits("15.1.0", "^14 || >=16 <17"), "no");
  EXPECT_EQ(range_fits("15.1.0", "^14 || lts"), "?");
  EXPECT_EQ(range_fits("1.5.0", "1.2 - 2.0"), "yes");
  EXPECT_EQ(range_fits("2.0.9", "1.2 - 2.0"), "yes");
  EXPECT_EQ(range_fits("2.1.0", "1.2 - 2.0"), "no");
  EXPECT_EQ(range_fits("1.1.0", "1.2 - 2.0"), "no");
  EXPECT_EQ(range_fits("1.2.0-rc.1", "1.2.0"), "yes");
  EXPECT_EQ(range_fits("99999999999999999999.1", "*"), "?");
}

}  // namespace
}  // namespace builder::declared
