// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/requirements.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

class ReadRequirements : public testing::Test {
 protected:
  base::TemporaryFolder m_source = base::TemporaryFolder::make(testing::TempDir(), "requirements.").value();

  Requirements read(const std::string& text, const process::Environment& environment = {}) {
    EXPECT_TRUE(base::write_file(m_source.path() / "requirements.txt", text));
    return read_requirements(m_source.path(), {"requirements.txt"}, environment).value();
  }
};

TEST_F(ReadRequirements, CountsWhatIsAskedFor) {
  EXPECT_EQ(read("").count, 0U);
  EXPECT_EQ(read("# a comment\n\n  \n--pre\n").count, 0U);
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a\r\nb == 1 # why\r\n")
                .count,
            2U);
  EXPECT_EQ(read("a \\\n  --hash=sha256:1 \\\n  --hash=sha256:2\nb").count, 2U);
  EXPECT_EQ(read("-e .\n").count, 1U);
}

TEST_F(ReadRequirements, KnowsWhatComesFromFiles) {
  for (const auto* line : {"./a", "../a", "a/b", "a.whl", "a-1.tar.gz", "-e .", "-f wheels",
                           "--find-links=wheels", "a @ file:///x", "--an-option-of-tomorrow x"}) {
    EXPECT_TRUE(read(line).uses_files) << line;
  }
  for (const auto* line :
       {"a", "a[b]==1; python_version < '3.9'", "a @ https://x/y.whl", "-i https://x/simple",
        "--index-url=https://x/simple", "--pre", "a==1 --hash=sha256:00"}) {
    EXPECT_FALSE(read(line).uses_files) << line;
  }
}

TEST_F(ReadRequirements, IncludedFilesCount) {
  ASSERT_TRUE(base::make_folders(m_source.path() / "more"));
  ASSERT_TRUE(base::write_file(m_source.path() / "more" / "base.txt",
                               "a\n-c 'limits file.txt'\n-r ../requirements.txt"));
  ASSERT_TRUE(base::write_file(m_source.path() / "more" / "limits file.txt", "b<1"));
  const auto before = read("-r more/base.txt\n");
  EXPECT_FALSE(before.uses_files);
  ASSERT_TRUE(base::write_file(m_source.path() / "more" / "limits file.txt", "b<2"));
  EXPECT_NE(read("-r more/base.txt\n").inputs.key(), before.inputs.key());
  EXPECT_NE(read("--requirement=more/base.txt\n").inputs.key(), before.inputs.key());
}

TEST_F(ReadRequirements, VariablesCountUnlessTheyAreInAUrl) {
  EXPECT_NE(read("a==${V}", {{"V", "1"}}).inputs.key(), read("a==${V}", {{"V", "2"}}).inputs.key());
  EXPECT_EQ(read("-i https://${T}@x/simple", {{"T", "1"}}).inputs.key(),
            read("-i https://${T}@x/simple", {{"T", "2"}}).inputs.key());
}

TEST_F(ReadRequirements, VariablesInAPathOfAUrlCount) {
  const std::string line = "a @ https://${T}@x/${V}/a.whl";
  EXPECT_NE(read(line, {{"V", "1"}}).inputs.key(), read(line, {{"V", "2"}}).inputs.key());
  EXPECT_EQ(read(line).credentials, std::vector<std::string>{"T"});
}

TEST_F(ReadRequirements, OptionsAreToldWithoutCredentials) {
  EXPECT_EQ(
      read("a==1 --config-settings=x=1 --hash=sha256:0\n--no-binary a\n-i https://u:p@x/simple\n").options,
      (std::vector<std::string>{"--config-settings=x=1", "--no-binary a", "-i https://x/simple"}));
}

TEST_F(ReadRequirements, WhatIsOutsideOfTheSourceCountsByContent) {
  const auto other = base::TemporaryFolder::make(testing::TempDir(), "outside.").value();
  const auto file = (other.path() / "a-1.tar.gz").string();
  for (const auto& line : {"a @ file://" + file, file, "--find-links=" + other.path().string(),
                           "-f file://" + other.path().string() + "\na"}) {
    ASSERT_TRUE(base::write_file(file, "1"));
    const auto before = read(line).inputs.key();
    EXPECT_EQ(read(line).inputs.key(), before);
    ASSERT_TRUE(base::write_file(file, "2"));
    EXPECT_NE(read(line).inputs.key(), before) << line;
  }
}

TEST_F(ReadRequirements, JoinsTheLinesOfFilesThatGoOn) {
  EXPECT_EQ(read("a \\\n  >= 1\n# b\nc # why\n").continued, std::vector<std::string>{"requirements.txt"});
  EXPECT_TRUE(read("a >= 1\n").continued.empty());
  EXPECT_EQ(join_lines("a \\\n  >= 1\n# b\nc # why\n"), "a >= 1\nc\n");
}

}  // namespace
}  // namespace builder::python
