// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/version.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace builder::python {
namespace {

using testing::ElementsAre;

Version version(const std::string& text) {
  const auto parsed = Version::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Version{});
}

bool allows(const std::string& specifiers, const std::string& text) {
  const auto parsed = Specifiers::parse(specifiers);
  EXPECT_TRUE(parsed) << specifiers;
  return parsed && parsed->allows(version(text));
}

// PEP 440's own example of the order, with epochs and local versions added.
TEST(Versions, AreOrdered) {
  const std::vector<std::string> sorted = {"1.dev0",
                                           "1.0.dev456",
                                           "1.0a1",
                                           "1.0a2.dev456",
                                           "1.0a12.dev456",
                                           "1.0a12",
                                           "1.0b1.dev456",
                                           "1.0b2",
                                           "1.0b2.post345.dev456",
                                           "1.0b2.post345",
                                           "1.0rc1.dev456",
                                           "1.0rc1",
                                           "1.0",
                                           "1.0+abc.5",
                                           "1.0+abc.7",
                                           "1.0+5",
                                           "1.0.post456.dev34",
                                           "1.0.post456",
                                           "1.0.15",
                                           "1.1.dev1",
                                           "1.9",
                                           "1.10",
                                           "20240101",
                                           "1!0.1"};
  for (std::size_t one = 0; one < sorted.size(); ++one) {
    for (std::size_t other = 0; other < sorted.size(); ++other) {
      EXPECT_EQ(version(sorted[one]) <=> version(sorted[other]), one <=> other)
          << sorted[one] << " " << sorted[other];
    }
  }
}

TEST(Versions, HaveSpellingsThatMeanTheSame) {
  for (const auto& [one, other] :
       std::vector<std::pair<std::string, std::string>>{{"1.0", "1.0.0"},
                                                        {"v1.0", "1"},
                                                        {"1.0-alpha.1", "1.0a1"},
                                                        {"1.0c1", "1.0rc1"},
                                                        {"1.0-1", "1.0.post1"},
                                                        {"1.0.rev2", "1.0post2"},
                                                        {"1.0_dev", "1.0.dev0"},
                                                        {"1.0+Ubuntu-1", "1.0+ubuntu.1"},
                                                        {" 1.0 ", "1.0"}}) {
    EXPECT_EQ(version(one), version(other)) << one;
  }
}

TEST(Versions, ThatAreNoneAreRefused) {
  for (const std::string text :
       {"", "x", "1.x", "1..2", "1.0+", "1.0+a b", "my-env", "1.0.0.", "99999999999999999999"}) {
    EXPECT_FALSE(Version::parse(text)) << text;
  }
}

TEST(Specifiers, AllowWhatTheySay) {
  for (const auto& [specifiers, allowed] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"", {"1", "0.1.dev1"}},
           {">=1.2, <2", {"1.2", "1.2.post1", "1.99"}},
           {"~=1.4.2", {"1.4.2", "1.4.9"}},
           {"~=1.4", {"1.4", "1.9"}},
           {"==1.1.*", {"1.1", "1.1.0", "1.1.dev1", "1.1.5"}},
           {"==1.1", {"1.1", "1.1.0", "1.1+local"}},
           {"!=1.5.7", {"1.5.6", "1.6"}},
           {"===1.0", {"1.0"}},
           {">1.0", {"1.0.1", "1.1"}},
           {">1.0.post1", {"1.0.post2", "1.0.1"}},
           {"<1.0", {"0.9", "0.9rc1"}}}) {
    for (const auto& text : allowed) EXPECT_TRUE(allows(specifiers, text)) << specifiers << " " << text;
  }
  for (const auto& [specifiers, refused] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {">=1.2, <2", {"1.1", "2", "2.0rc1"}},
           {"~=1.4.2", {"1.4.1", "1.5"}},
           {"==1.1.*", {"1.2", "11.1", "1!1.1"}},
           {"!=1.5.*", {"1.5", "1.5.9"}},
           {">1.0", {"1.0", "1.0.post1", "1.0+local"}},
           {">1.0.post1", {"1.0", "1.0.post1"}},
           {"<1.0", {"1.0", "1.0rc1"}}}) {
    for (const auto& text : refused) EXPECT_FALSE(allows(specifiers, text)) << specifiers << " " << text;
  }
  for (const std::string text : {"1.0", "=>1", "== ", ">=x"}) EXPECT_FALSE(Specifiers::parse(text)) << text;
}

TEST(PoetryConstraints, BecomeSpecifiers) {
  for (const auto& [constraint, specifiers] :
       std::vector<std::pair<std::string, std::string>>{{"^1.2.3", ">=1.2.3,<2"},
                                                        {"^1.2", ">=1.2,<2"},
                                                        {"^0.2.3", ">=0.2.3,<0.3"},
                                                        {"^0.0.3", ">=0.0.3,<0.0.4"},
                                                        {"^0.0", ">=0.0,<0.1"},
                                                        {"^0", ">=0,<1"},
                                                        {"~1.2.3", ">=1.2.3,<1.3"},
                                                        {"~1.2", ">=1.2,<1.3"},
                                                        {"~1", ">=1,<2"},
                                                        {"1.2.*", "==1.2.*"},
                                                        {"1.2.3", "==1.2.3"},
                                                        {"*", ""},
                                                        {"", ""},
                                                        {">= 1.2, < 1.5", ">=1.2,<1.5"},
                                                        {">=3.8 <4", ">=3.8,<4"},
                                                        {"=1.0", "==1.0"},
                                                        {"!=1.5.7,>=1.5.6", "!=1.5.7,>=1.5.6"}}) {
    EXPECT_THAT(from_poetry(constraint).value_or(std::vector<std::string>{"none"}), ElementsAre(specifiers))
        << constraint;
  }
  EXPECT_THAT(*from_poetry("^2.7 || ^3.8"), ElementsAre(">=2.7,<3", ">=3.8,<4"));
  for (const std::string text : {"^x", "~", "one", "^1 || two"}) EXPECT_FALSE(from_poetry(text)) << text;
}

TEST(Versions, AreOrderedByEachOfTheirParts) {
  // Each is less than the next.
  const std::vector<std::string> ordered = {"0.9",         "1.0.dev1",
                                            "1.0.dev2",    "1.0a1.dev1",
                                            "1.0a1",       "1.0a1.post1.dev1",
                                            "1.0a1.post1", "1.0a2",
                                            "1.0b1",       "1.0rc1",
                                            "1.0rc2",      "1.0",
                                            "1.0+a",       "1.0+a.b",
                                            "1.0+b",       "1.0+2",
                                            "1.0+2.a",     "1.0+2.1",
                                            "1.0+10",      "1.0.post1.dev1",
                                            "1.0.post1",   "1.0.post2",
                                            "1.0.1",       "1.1",
                                            "1.10",        "2",
                                            "1!0.1",       "1!1",
                                            "2!0"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      const auto order = *Version::parse(ordered[i]) <=> *Version::parse(ordered[j]);
      EXPECT_EQ(order < 0, i < j) << ordered[i] << " " << ordered[j];
      EXPECT_EQ(order == 0, i == j) << ordered[i] << " " << ordered[j];
    }
  }
}

TEST(Versions, HaveNumbersOfEighteenDigitsAtMost) {
  EXPECT_TRUE(Version::parse("1." + std::string(18, '9')));
  EXPECT_FALSE(Version::parse("1." + std::string(19, '9')));
  EXPECT_FALSE(Version::parse(std::string(19, '9')));
  EXPECT_EQ(Version::parse("v1.0")->release.size(), 2U);
}

TEST(Specifiers, BoundariesOfCompatibleAndExclusiveOnes) {
  const struct {
    std::string specifiers, version;
    bool allowed;
  } rows[] = {
      {"~=2.2.post3", "2.2.post3", true},
      {"~=2.2.post3", "2.2", false},
      {"~=2.2.post3", "2.3", true},
      {"~=2.2", "3.0", false},
      {"~=2", "2.5", true},
      {"~=2", "3", false},
      {"~=1!2.2", "2.2", false},
      {">1.0a1", "1.0", true},
      {"<1.0rc1", "1.0b2", true},
      {"<1.0.dev2", "1.0.dev1", true},
      {"<=1.0", "1.0+x", true},
      {">=1.0", "1.0+x", true},
      {"==1.0+x", "1.0+x", true},
      {"==1.0+x", "1.0", false},
      {"==1.0+x", "1.0+y", false},
      {"!=1.0+x", "1.0+y", true},
      {"==1.*", "1", true},
      {"!=1.*", "2", true},
      {"==1.2.*", "1.20", false},
      {">1,<2,!=1.5", "1.5", false},
      {">1,<2,!=1.5", "1.4", true},
      {",>1,", "2", true},
  };
  for (const auto& row : rows)
    EXPECT_EQ(allows(row.specifiers, row.version), row.allowed) << row.specifiers << " " << row.version;
}

TEST(PoetryConstraints, HaveTheirSigns) {
  for (const auto& [constraint, specifiers] : std::map<std::string, std::string>{{"~=1.2", "~=1.2"},
                                                                                 {"==1.2", "==1.2"},
                                                                                 {"<2", "<2"},
                                                                                 {"!=2", "!=2"},
                                                                                 {"^ 1.2", ">=1.2,<2"},
                                                                                 {"~0.1.2", ">=0.1.2,<0.2"},
                                                                                 {"~0", ">=0,<1"},
                                                                                 {"^0.0.0", ">=0.0.0,<0.0.1"},
                                                                                 {"^1.2.3a1", ">=1.2.3a1,<2"},
                                                                                 {">=1,*", ">=1"},
                                                                                 {"1.0,<2", "==1.0,<2"}}) {
    EXPECT_THAT(from_poetry(constraint).value_or(std::vector<std::string>{"none"}), ElementsAre(specifiers))
        << constraint;
  }
  EXPECT_THAT(*from_poetry("^1|^2"), ElementsAre(">=1,<2", ">=2,<3"));
  EXPECT_THAT(*from_poetry("1||2"), ElementsAre("==1", "==2"));
}

TEST(Poetry, AnEpochStays) {
  for (const auto& [text, expected] : std::map<std::string, std::string>{
           {"^1!1.2", ">=1!1.2,<1!2"}, {"~1!1.2", ">=1!1.2,<1!1.3"}, {"^1.2", ">=1.2,<2"}})
    EXPECT_EQ(from_poetry(text), std::vector<std::string>{expected}) << text;
}

}  // namespace
}  // namespace builder::python
