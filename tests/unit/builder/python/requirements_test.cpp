// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/requirements.h"

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

TEST(RequirementLines, HaveTheNumbersOfTheirFirstLines) {
  const auto lines = [](std::string_view text) {
    std::string all;
    for (const auto& [number, line] : numbered_lines(text)) all += std::to_string(number) + " " + line + "|";
    return all;
  };
  EXPECT_EQ(lines("a\n# c\n\nb\\\n  ==1 \\\n # why\nc\n"), "1 a|4 b==1|7 c|");
  EXPECT_EQ(lines("\\\n\n a\\\n"), "3 a|");
  EXPECT_EQ(lines("\xEF\xBB\xBF"
                  "a\r\nb\rc"),
            "1 a|2 b|3 c|");
  EXPECT_EQ(lines(""), "");
}

TEST_F(ReadRequirements, FaultsAreOnTheirLines) {
  ASSERT_TRUE(base::make_folders(m_source.path() / "more"));
  const auto fault = [&](const std::string& text) {
    EXPECT_TRUE(base::write_file(m_source.path() / "requirements.txt", text));
    const auto read = read_requirements(m_source.path(), {"requirements.txt"}, {});
    return read ? "none" : read.error().where + ": " + read.error().what;
  };
  EXPECT_EQ(fault("a\n\n-r more/none.txt\n"),
            "requirements.txt:3: includes more/none.txt, which does not exist");
  EXPECT_EQ(
      fault("a\n--foo\n"),
      "requirements.txt:2: --foo is not an option for requirements files; pip does not accept it either");
  EXPECT_EQ(fault("-r\n"), "requirements.txt:1: --requirement needs a value");
  EXPECT_EQ(fault("\n-r /etc/x\n"), "requirements.txt:2: /etc/x is outside the source");
  EXPECT_EQ(fault("\n-c https://x/y\n"), "requirements.txt:2: https://x/y is outside the source");
  EXPECT_EQ(fault("\n-r ../x\n"), "requirements.txt:2: ../x is outside the source");
  EXPECT_EQ(fault("a\n<<<<<<< HEAD\nb==1\n=======\nb==2\n>>>>>>> other\n"),
            "requirements.txt:2: a merge conflict is not resolved");
  EXPECT_EQ(fault("a\n./b -C x=1\n"), "requirements.txt:2: --config-settings after ./b needs a package name");
  ASSERT_TRUE(base::write_file(m_source.path() / "more/b.txt", "# why\n-r none.txt"));
  EXPECT_EQ(fault("-r more/b.txt"), "more/b.txt:2: includes none.txt, which does not exist");
}

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
                           "--find-links=wheels", "a @ file:///x"}) {
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
  // A file has no host, so that nothing is before it.
  const std::string file = "a @ file:///${V}@1.whl";
  EXPECT_NE(read(file, {{"V", "1"}}).inputs.key(), read(file, {{"V", "2"}}).inputs.key());
}

TEST_F(ReadRequirements, OptionsAreToldWithoutCredentials) {
  EXPECT_EQ(
      read("a==1 --config-settings=x=1 --hash=sha256:0\n--no-binary a\n-i https://u:p@x/simple\n").options,
      (std::vector<std::string>{"--config-settings=x=1", "--no-binary a", "-i https://x/simple"}));
  // In a line of a package no tool takes this one.
  EXPECT_EQ(read("a --index https://u:p@x/simple\n").options,
            std::vector<std::string>{"--index https://x/simple"});
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

TEST_F(ReadRequirements, RewritesOnlyTheFilesThatUvWouldNotRead) {
  const auto rewritten = [&](const std::string& text) {
    const auto files = read(text).rewritten;
    return files.empty() ? std::string("none") : files.at("requirements.txt");
  };
  const struct {
    std::string text;
    std::string expected;
  } rows[] = {
      {"a >= 1\n-i https://h/s\n--extra-index-url=https://h/t # why\n--no-binary :all:\n", "none"},
      {"--pre\n--prefer-binary\n--use-feature=x\n--require-hashes\na==1 --hash=sha256:0\n", "none"},
      {"-e .\n-e name @ ./x\n--find-links x\n--trusted-host h\n--no-index\n", "none"},
      {"\xEF\xBB\xBF"
       "a\n",
       "none"},
      {"a \\\n  >= 1\n# b\nc # why\n", "a >= 1\nc\n"},
      {"a --config-settings=\"k=v\" --hash=sha256:0 --global-option=--x\n", "a --hash=sha256:0\n"},
      {"-ihttps://h/s\na\n", "a\n"},
      {"--extra-index https://h/s\n--find-link x\na\n", "a\n"},
      {"--only-binary a,b\na\n", "a\n"},
      {"-e \"./a b\"\n", "--editable ./a b\n"},
      {"# coding: latin-1\na # \xE9\nb\n", "a\nb\n"},
      {std::string("\xFF\xFE"
                   "a\0\n\0",
                   6),
       "a\n"},
      {std::string("\xFE\xFF"
                   "\0a\0\n",
                   6),
       "a\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(rewritten(row.text), row.expected) << row.text;

  // The first and the last character of two units.
  std::string wide = "\xFF\xFE";
  for (const char character : std::string("-e ./")) wide += {character, '\0'};
  wide += {'\x00', '\xD8', '\x00', '\xDC', '\xFF', '\xDB', '\xFF', '\xDF', '\n', '\0'};
  EXPECT_EQ(rewritten(wide), "--editable ./\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\n");
}

TEST_F(ReadRequirements, TakesTheOptionsAsPipReadsThem) {
  const auto pip =
      read(
          "-i https://h/1\n--index-url https://h/2\n--extra-index-url https://h/3\n-f "
          "x\n--pre\n--all-releases a,b\n--only-final c\n"
          "--no-binary a,b\n--only-binary=:all:\n--trusted-host h:1\n--no-index\n--require-hashes\n"
          "a[x]>1 ; python_version > '3' -C k=v --config-setting \"l=1 2\"\n"
          "b @ https://h/b.tar.gz --global-option --y\n"
          "git+https://h/c#egg=C.c --build-option=z\n")
          .pip;
  EXPECT_EQ(pip.index_url, "https://h/2");
  EXPECT_EQ(pip.extra_index_urls, std::vector<std::string>{"https://h/3"});
  EXPECT_EQ(pip.find_links, std::vector<std::string>{"x"});
  EXPECT_EQ(pip.no_binary, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(pip.only_binary, std::vector<std::string>{":all:"});
  EXPECT_EQ(pip.all_releases, (std::vector<std::string>{":all:", "a", "b"}));
  EXPECT_EQ(pip.only_final, std::vector<std::string>{"c"});
  EXPECT_FALSE(read("--require-hashes\n--no-require-hashes\na\n").pip.require_hashes);
  EXPECT_EQ(pip.trusted_hosts, std::vector<std::string>{"h:1"});
  EXPECT_EQ(pip.config_settings,
            (std::vector<std::string>{"a:k=v", "a:l=1 2", "b:--global-option=--y", "c-c:--build-option=z"}));
  EXPECT_TRUE(pip.no_index && pip.require_hashes);
}

TEST_F(ReadRequirements, CommentsMayBeInAnyEncoding) {
  const auto requirements = read("# coding: koi8-r\n# \xE9\na # \xE9\n");
  EXPECT_EQ(requirements.count, 1);
  EXPECT_EQ(requirements.rewritten.at("requirements.txt"), "a\n");
}

TEST_F(ReadRequirements, RefusesWhatPipRefuses) {
  for (const std::string line : {"--use-pep517", "a --target x", "-Z", "-x", "--hash",
                                 "./x --config-settings a=b", "# coding: koi8-r\na#\xE9"}) {
    ASSERT_TRUE(base::write_file(m_source.path() / "requirements.txt", line + "\n"));
    EXPECT_FALSE(read_requirements(m_source.path(), {"requirements.txt"}, {})) << line;
  }
}

}  // namespace
}  // namespace builder::python
