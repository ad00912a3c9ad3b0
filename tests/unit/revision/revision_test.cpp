// SPDX-License-Identifier: Apache-2.0
#include "revision/revision.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "revision/ref_name.h"

namespace revision {
namespace {

const std::string k_commit(40, 'a');

Revision example() {
  return {.commit = k_commit,
          .time = 1'700'000'000,
          .branch = "team/feature",
          .folder = "packages/a b",
          .commits = 12,
          .is_dirty = true,
          .tags = {{"v1.2", 3, true}, {"a/v1.0", 7, false}}};
}

TEST(Revision, IsTheSameAfterItsText) {
  const auto text = to_text(example());
  const auto read = parse(text, "file");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(read->tags.size(), 2U);
  EXPECT_EQ(describe(*read), "v1.2-3-gaaaaaaa-dirty");
}

TEST(Revision, IsDescribedAsByGit) {
  auto revision = example();
  revision.is_dirty = false;
  revision.tags.front().distance = 0;
  EXPECT_EQ(describe(revision), "v1.2");
  revision.tags.clear();
  EXPECT_EQ(describe(revision), "aaaaaaa");
}

TEST(Revision, ATagIsNoFurtherThanAllCommits) {
  const auto read = parse("commit " + k_commit + "\ncommits 2\ntag 9 v1\n", "file");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->commits, 10U);
}

TEST(Revision, WhateverIsNotOfItsFormIsRefused) {
  for (const std::string line :
       {"x",           "commit 1",         "time -1",   "commits 0",     "commits 1000001", "branch ..",
        "branch a..b", "branch /a",        "branch a/", "branch a.lock", "branch a@{b",     "folder ../a",
        "folder /a",   "folder a/../../b", "dirty 1",   "tag 1 -a",      "tag 1 a~b",       "tag 1 a\"b",
        "tag 1 a b",   "tag v1",           "tag 1 .a",  "annotated 1 ",  "tag 01x v1"}) {
    const auto read = parse("commit " + k_commit + "\n" + line + "\n", "file");
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().where, "file:2");
    EXPECT_EQ(read.error().kind, base::ErrorKind::bad_input);
  }
  EXPECT_FALSE(parse("", "file"));
}

TEST(Revision, ToolsThatAskGitAreKnownByTheirFiles) {
  EXPECT_TRUE(is_asked_for("pyproject.toml", "requires = [\"setuptools-scm>=8\"]"));
  EXPECT_TRUE(is_asked_for("a/pyproject.toml", "[tool.pdm.version]\nsource = \"scm\""));
  EXPECT_TRUE(is_asked_for("setup.cfg", "[versioneer]"));
  EXPECT_TRUE(is_asked_for("setup.py", "subprocess.check_output(['git', 'describe'])"));
  EXPECT_FALSE(is_asked_for("pyproject.toml", "requires = [\"hatchling\"]\nurl = \"https://github.com/x\""));
  EXPECT_FALSE(is_asked_for("setup.py", "url='https://github.com/x'"));
  EXPECT_FALSE(is_asked_for("README.toml", "setuptools-scm"));
}

// git-check-ref-format(1), and no more than what is safe in a line.
TEST(RefName, IsWhatGitTakes) {
  for (const std::string name :
       {"a", "main", "team/feature", "v1.2", "a-b", "a@b", "@", "a{b", "ü", "lock", "a.locks", "!", "}"})
    EXPECT_TRUE(is_ref_name(name)) << name;
  for (const std::string name :
       {"",     "-",  "-a",  "a.lock", ".lock", "a.lock/b", "a b",  " ",    "a\nb", "a\x1f", "a\x7f",
        "~",    "a^", "a:b", "a?",     "a*",    "[a",       "a\\b", "a\"b", "a'b",  "a..b",  "..",
        "a@{b", "/",  "/a",  "a/",     "a//b",  ".a",       "a/.b", "a.",   "a./b", "."})
    EXPECT_FALSE(is_ref_name(name)) << name;
  EXPECT_TRUE(is_ref_name(std::string(250, 'a')));
  EXPECT_FALSE(is_ref_name(std::string(251, 'a')));
}

TEST(Revision, EachLineIsReadIntoItsField) {
  const auto read = parse("# comment\n\ncommit " + k_commit +
                              "\ntime 17\ncommits 5\nbranch b\nfolder f\ndirty\ntag 2 t\nannotated 3 u\n",
                          "file")
                        .value();
  EXPECT_EQ(read.commit, k_commit);
  EXPECT_EQ(read.time, 17U);
  EXPECT_EQ(read.commits, 5U);
  EXPECT_EQ(read.branch, "b");
  EXPECT_EQ(read.folder, "f");
  EXPECT_TRUE(read.is_dirty);
  ASSERT_EQ(read.tags.size(), 2U);
  EXPECT_EQ(read.tags[0].name + std::to_string(read.tags[0].distance), "t2");
  EXPECT_FALSE(read.tags[0].is_annotated);
  EXPECT_EQ(read.tags[1].name + std::to_string(read.tags[1].distance), "u3");
  EXPECT_TRUE(read.tags[1].is_annotated);
  const auto least = parse("commit " + k_commit, "file").value();
  EXPECT_EQ(least.commits, 1U);
  EXPECT_FALSE(least.is_dirty);
  EXPECT_EQ(
      to_text(least),
      "# Made by pachbuild from git, for builds that make a version from it (docs/python.md).\ncommit " +
          k_commit + "\ntime 0\ncommits 1\n");
  EXPECT_EQ(parse("commit " + k_commit + "\ncommits 4\ntag 3 v\n", "file")->commits, 4U);
}

TEST(Revision, ACommitIsAHash) {
  const auto reads = [](const std::string& commit) { return parse("commit " + commit, "file").has_value(); };
  for (const std::size_t size : {40U, 64U}) {
    for (const char digit : std::string("09af")) EXPECT_TRUE(reads(std::string(size, digit)));
    for (const char other : std::string("/:`gA")) EXPECT_FALSE(reads(std::string(size - 1, 'a') + other));
    EXPECT_FALSE(reads(std::string(size - 1, 'a')));
    EXPECT_FALSE(reads(std::string(size + 1, 'a')));
  }
}

TEST(Revision, ErrorsNameTheLine) {
  const auto error = parse("# a\ncommit " + k_commit + "\nwrong line\n", "file").error();
  EXPECT_EQ(error.where, "file:3");
  EXPECT_EQ(error.what, "invalid line \"wrong line\"");
  EXPECT_EQ(error.hint, "remove the file; pachbuild recreates it where git is installed");
  const auto none = parse("time 1\n", "file").error();
  EXPECT_EQ(none.where, "file");
  EXPECT_EQ(none.what, "names no commit");
  EXPECT_EQ(none.hint, "remove the file");
  EXPECT_EQ(none.kind, base::ErrorKind::bad_input);
  for (const std::string line : {"time ", "time 1/", "time 1:", "branch", "folder", "folder ", "folder a\x1f",
                                 "folder a\x7f", "tag 1", "tag  v", "tag 1000001 v", "commit"})
    EXPECT_FALSE(parse("commit " + k_commit + "\n" + line, "file")) << line;
  for (const std::string line : {"time 09", "folder a b", "folder a", "tag 1000000 v", "tag 0 v", "dirty"})
    EXPECT_TRUE(parse("commit " + k_commit + "\n" + line, "file")) << line;
}

TEST(Revision, ATagAtTheCommitIsItsDescription) {
  auto revision = example();
  revision.tags.front().distance = 0;
  EXPECT_EQ(describe(revision), "v1.2-dirty");
  revision.tags.front().distance = 1;
  revision.is_dirty = false;
  EXPECT_EQ(describe(revision), "v1.2-1-gaaaaaaa");
  revision.commit = "0123456789";
  revision.tags.clear();
  EXPECT_EQ(describe(revision), "0123456");
}

// Each of the words alone.
TEST(Revision, EachToolThatAsksGitIsKnown) {
  const std::vector<std::string> of_setup = {
      "versioneer",     "setuptools_scm", "use_scm_version", "pbr",      "versioningit", "setuptools_git",
      "setuptools-git", "vcs_versioning", "vcversioner",     "\"git\"",  "'git'",        "git describe",
      "git rev-",       "git log",        "import git",      "from git", "dunamai"};
  for (const auto& word : of_setup) {
    EXPECT_TRUE(is_asked_for("setup.py", "x " + word)) << word;
    EXPECT_TRUE(is_asked_for("a/b/setup.py", word)) << word;
    EXPECT_FALSE(is_asked_for("other.py", word)) << word;
  }
  const std::vector<std::string> of_project = {
      "setuptools-scm", "setuptools_scm", "hatch-vcs",      "hatch_vcs",     "dynamic-versioning",
      "versioneer",     "vcs-versioning", "vcs_versioning", "pbr",           "versioningit",
      "dunamai",        "setuptools-git", "setuptools_git", "git-versioner", "gitversion",
      "poetry-version"};
  for (const auto& word : of_project) {
    EXPECT_TRUE(is_asked_for("pyproject.toml", "x " + word)) << word;
    EXPECT_TRUE(is_asked_for("a/setup.cfg", word)) << word;
    EXPECT_FALSE(is_asked_for("setup.toml", word)) << word;
  }
  EXPECT_FALSE(is_asked_for("pyproject.toml", "[tool.pdm.version]"));
  EXPECT_FALSE(is_asked_for("pyproject.toml", "scm"));
  EXPECT_FALSE(is_asked_for("setup.py", "tool.pdm.version scm"));
}

}  // namespace
}  // namespace revision
