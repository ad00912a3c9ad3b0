// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/failures.h"

#include <gtest/gtest.h>

#include "builder-runtime/languages/declared/reader.h"

namespace builder::declared {
namespace {

constexpr char k_words_of_toy[] = R"(schema = 1
language = "toy"
summary = "toys"
[detect]
program = "main.toy"
[start]
command = ["toy"]
[[error]]
match = 'network is gone'
say = "{manifest}: cannot be reached for {program}"
hint = "again"
code = 75
[[error]]
match = '(?P<file>\S+):(?P<line>\d+):(?P<column>\d+): (?P<what>.*(?:\n more)?)'
[[error]]
match = 'bare (?P<what>.*)'
)";

process::Finished ended_with(int code, std::string errors, std::string output = "") {
  return {process::Ending::from_wait_status(code << 8), std::move(output), std::move(errors)};
}

class DeclaredFailures : public testing::Test {
 protected:
  std::string shown(const base::Error& error) {
    return std::to_string(static_cast<int>(error.kind)) + " " + error.where + "|" + error.what + "|" +
           error.hint;
  }
  std::string error_of(const process::Finished& finished, const std::string& manifest = "") {
    return shown(error_of_command(
        finished, {"layer program", "toy", manifest, {{"/work", ""}, {"/tree", "made/"}}}, m_facts));
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "failures.").value();
  Facts m_facts = {
      .builder = std::make_shared<const Description>(parse_builder(k_words_of_toy, "b", {}).value()),
      .files = SourceFiles::list(m_folder.path(), {}).value(),
      .program = {"main.toy", "by its name"}};
};

TEST_F(DeclaredFailures, TheFirstThatMatchesCounts) {
  EXPECT_EQ(error_of(ended_with(2, "x\nnetwork is gone\na:1:2: fault")),
            "75 layer program|: cannot be reached for main.toy|again");
  EXPECT_EQ(error_of(ended_with(2, "network is gone"), "toys.txt"),
            "75 toys.txt|cannot be reached for main.toy|again");
  EXPECT_EQ(error_of(ended_with(2, "", "bare words\n")), "1 layer program|words|");
  EXPECT_EQ(error_of(ended_with(2, "nothing")), "1 layer program|toy exited with code 2|");
}

TEST_F(DeclaredFailures, PlacesAreThoseOfTheSource) {
  EXPECT_EQ(error_of(ended_with(1, "/work/src/a.toy:3:4: wrong\n more\n")), "1 src/a.toy:3:4|wrong  more|");
  EXPECT_EQ(error_of(ended_with(1, "/tree/a:3:4: wrong")), "1 made/a:3:4|wrong|");
  EXPECT_EQ(error_of(ended_with(1, m_folder.path().string() + "/a:3:4: wrong")), "1 a:3:4|wrong|");
  EXPECT_EQ(error_of(ended_with(1, "/worked/a:3:4: wrong")), "1 /worked/a:3:4|wrong|");
}

TEST_F(DeclaredFailures, AProgramMaySpeakAsWeDo) {
  for (const int code : {1, 65, 69, 73, 74, 75}) {
    EXPECT_EQ(error_of(ended_with(code, "network is gone\nerror: a:1: wrong\nhint: fix\n\n")),
              std::to_string(code) + " |a:1: wrong|fix");
  }
  EXPECT_EQ(error_of(ended_with(1, "error: wrong\n")), "1 |wrong|");
  for (const int code : {2, 64, 70, 101})
    EXPECT_EQ(error_of(ended_with(code, "error: wrong\n")).substr(0, 20), "1 layer program|toy ") << code;
  EXPECT_FALSE(own_words(ended_with(1, "error: wrong\nmore\n")));
  EXPECT_FALSE(own_words(ended_with(1, "hint: only\n")));
  EXPECT_FALSE(own_words(ended_with(1, "")));
  EXPECT_FALSE(own_words({process::Ending::from_wait_status(9), "", "error: wrong\n"}));
}

TEST_F(DeclaredFailures, WhatTheImageLacksIsSaid) {
  const std::string lacks = "x.c:1:2: fatal error: libxml/parser.h: No such file or directory\n";
  const auto hint = "libxml/parser.h is missing: install the Debian package libxml2-dev";
  EXPECT_TRUE(error_of(ended_with(1, lacks)).ends_with(std::string("|") + hint))
      << error_of(ended_with(1, lacks));
  EXPECT_EQ(error_of(ended_with(1, lacks + "error: xml2 cannot be installed\n")),
            std::string("1 |xml2 cannot be installed|") + hint);
  EXPECT_EQ(error_of(ended_with(1, lacks + "error: no\nhint: own\n")), "1 |no|own");
  EXPECT_EQ(error_of(ended_with(1, lacks + "network is gone")).substr(0, 2), "75");
  EXPECT_TRUE(error_of(ended_with(1, lacks + "network is gone")).ends_with(std::string("|again; ") + hint));
}

TEST_F(DeclaredFailures, GroupsThatAreMissingLeaveNothing) {
  const std::optional<TextTemplate> say = TextTemplate::parse("{what} at {line} of {file}").value();
  const std::optional<TextTemplate> none;
  EXPECT_EQ(shown(error_of_groups({{"file", "a"}, {"what", "w"}}, {say, say, base::ErrorKind::bad_input},
                                  m_facts, "", "w")),
            "65 a|w at  of a|w at  of a");
  EXPECT_EQ(shown(error_of_groups({{"line", "3"}}, {none, none, base::ErrorKind::io}, m_facts, "m", "w")),
            "74 m||");
  EXPECT_EQ(shown(error_of_groups({{"file", "a"}, {"column", "3"}, {"what", "w"}},
                                  {none, none, base::ErrorKind::io}, m_facts, "", "w")),
            "74 a|w|");
}

}  // namespace
}  // namespace builder::declared
