// SPDX-License-Identifier: Apache-2.0
// The repository that is made for a build answers git's questions as the source's own would.
#include "builder-runtime/languages/python/git_repository.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/text.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using revision::Revision;

class GitRepository : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "gitrepository.").value();
  fs::path m_top = m_folder.path() / "top";
  process::SystemRunner m_runner;
  process::Environment m_environment{{"PATH", process::value_of(process::current_environment(), "PATH")}};

  void make(const Revision& revision, process::Environment& build) {
    const fs::path source = m_top / revision.folder;
    fs::remove_all(m_top);
    ASSERT_TRUE(base::make_folders(source));
    ASSERT_TRUE(base::write_file(source / "pyproject.toml", "[project]\nname = 'My.app'\n"));
    ASSERT_TRUE(base::write_file(source / revision::k_file, "handed over"));
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_runner);
    const auto status = add_repository(revision, m_top, source, tools, build);
    ASSERT_TRUE(status) << status.error().where << ": " << status.error().what;
    EXPECT_FALSE(fs::exists(source / revision::k_file));
  }
  std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), process::find_program("git", m_environment.at("PATH")).value());
    const auto finished = m_runner.run(
        {.arguments = words, .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}, .folder = m_top}, {});
    return finished ? std::string(base::trim(finished->output)) : finished.error().what;
  }
};

TEST_F(GitRepository, AnswersAsTheSourcesOwn) {
  if (!process::find_program("git", m_environment.at("PATH"))) GTEST_SKIP() << "there is no git";
  Revision revision{.commit = std::string(40, 'a'), .time = 1'600'000'000, .branch = "main", .commits = 5};
  revision.tags = {{.name = "v2", .distance = 0, .is_annotated = true},
                   {.name = "light", .distance = 0, .is_annotated = false},
                   {.name = "v1", .distance = 3, .is_annotated = true},
                   {.name = "old", .distance = 4, .is_annotated = false}};
  process::Environment build{{"GIT_DIR", "/elsewhere"}};
  make(revision, build);
  EXPECT_TRUE(build.empty());
  EXPECT_EQ(git({"rev-parse", "HEAD"}), revision.commit);
  EXPECT_EQ(git({"rev-parse", "--abbrev-ref", "HEAD"}), "main");
  EXPECT_EQ(git({"rev-list", "--count", "HEAD"}), "5");
  EXPECT_EQ(git({"log", "-1", "--format=%ct"}), "1600000000");
  EXPECT_EQ(git({"describe", "--long"}), "v2-0-gaaaaaaa");
  EXPECT_EQ(git({"status", "--porcelain", "--untracked-files=no"}), "");
  for (const auto& tag : revision.tags) {
    EXPECT_EQ(git({"cat-file", "-t", "refs/tags/" + tag.name}), tag.is_annotated ? "tag" : "commit")
        << tag.name;
    EXPECT_EQ(git({"rev-list", "--count", tag.name + "..HEAD"}), std::to_string(tag.distance)) << tag.name;
  }
}

TEST_F(GitRepository, OfAChangedSourceOnNoBranchSaysSo) {
  if (!process::find_program("git", m_environment.at("PATH"))) GTEST_SKIP() << "there is no git";
  process::Environment build;
  make({.commit = std::string(40, 'b'),
        .time = 7,
        .folder = "below",
        .commits = 2,
        .is_dirty = true,
        .tags = {{.name = "v1", .distance = 1, .is_annotated = true}}},
       build);
  EXPECT_EQ(git({"describe", "--dirty"}), "v1-1-gbbbbbbb-dirty");
  EXPECT_EQ(git({"rev-parse", "--abbrev-ref", "HEAD"}), "HEAD");
  EXPECT_EQ(build, (process::Environment{{"SOURCE_DATE_EPOCH", "7"}}));
}

TEST_F(GitRepository, WithoutGitFilesAndVariablesSayIt) {
  m_environment["PATH"] = "/nowhere";
  const std::string commit = "0123456789abcdef0123456789abcdef01234567";
  Revision revision{.commit = commit, .time = 0, .branch = "main", .commits = 3};
  process::Environment build;
  make(revision, build);
  EXPECT_EQ(build.size(), 1U);
  EXPECT_TRUE(build.contains("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_MY_APP"));
  EXPECT_EQ(base::read_file(m_top / ".git_archival.txt").value(),
            "node: " + commit + "\nnode-date: 1970-01-01T00:00:00+00:00\nref-names: HEAD -> main\n");
  revision.branch.clear();
  revision.tags = {{.name = "none", .distance = 0, .is_annotated = true},
                   {.name = "v1.2", .distance = 2, .is_annotated = true}};
  build.clear();
  make(revision, build);
  EXPECT_TRUE(build.empty());
  const auto text = base::read_file(m_top / ".git_archival.txt").value();
  EXPECT_NE(text.find("\ndescribe-name: v1.2-2-g0123"), std::string::npos) << text;
  EXPECT_NE(text.find("\nref-names: HEAD, tag: none\n"), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(m_top / ".git"));
}

}  // namespace
}  // namespace builder::python
