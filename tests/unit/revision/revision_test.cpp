// SPDX-License-Identifier: Apache-2.0
#include "revision/revision.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace revision
