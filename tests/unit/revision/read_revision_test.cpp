// SPDX-License-Identifier: Apache-2.0
// What is read of a repository, with somebody in the place of git who answers as git does.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "revision/revision.h"

namespace revision {
namespace {

namespace fs = base::fs;
using Words = std::vector<std::string>;

std::string hash_of(char digit, std::size_t length = 40) { return std::string(length, digit); }

class FakeGit final : public process::Runner {
 public:
  struct Call {
    process::Command command;
    std::map<std::string, std::string> files;  // of the folder that stands for .git
  };

  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const std::string& verb = command.arguments.at(2);
    Call call{command, {}};
    const fs::path own = command.environment.at("GIT_DIR");
    for (const std::string name : {"HEAD", "config", "packed-refs", "shallow", "index"}) {
      if (const auto text = base::read_file(own / name)) call.files[name] = *text;
    }
    for (const std::string name : {"objects", "refs"}) {
      if (fs::is_directory(own / name)) call.files[name] = "folder";
    }
    calls.push_back(std::move(call));
    if (verb == broken) return base::fail(base::ErrorKind::unavailable, "git", "cannot be started");
    const auto answer = answers.find(verb);
    const int status = answer == answers.end() ? 1 << 8 : 0;
    return process::Finished{process::Ending::from_wait_status(status),
                             answer == answers.end() ? "not for anybody" : answer->second, ""};
  }

  std::map<std::string, std::string> answers;  // by verb; the others fail
  std::string broken;                          // the verb that cannot be run
  std::vector<Call> calls;
};

class ReadRevision : public testing::Test {
 protected:
  void SetUp() override {
    put(".git/HEAD", "ref: refs/heads/main\n");
    put(".git/refs/heads/main", hash_of('a') + "\n");
    ASSERT_TRUE(base::make_folders(top() / ".git" / "objects"));
    ASSERT_TRUE(base::make_folders(top() / "sub" / "dir"));
    git.answers = {{"rev-list", "1700000000 " + hash_of('a') + " " + hash_of('b') + "\n1600000000 " +
                                    hash_of('b') + "\n"},
                   {"for-each-ref", ""},
                   {"status", ""}};
  }
  void put(const fs::path& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((top() / name).parent_path()));
    ASSERT_TRUE(base::write_file(top() / name, text));
  }
  void take(const fs::path& name) const { ASSERT_TRUE(base::remove_tree(top() / name)); }

  [[nodiscard]] fs::path top() const { return m_top; }
  std::optional<Revision> look(const fs::path& folder = "") {
    git.calls.clear();
    auto result = read(top() / folder, "/opt/git", git);
    EXPECT_TRUE(result) << result.error().what;
    return result ? *result : std::nullopt;
  }
  // The commit that is found, "" for no revision.
  std::string commit(const fs::path& folder = "") {
    const auto found = look(folder);
    return found ? found->commit : "";
  }
  std::string file(const std::string& name) {
    look();
    return git.calls.empty() || !git.calls[0].files.contains(name) ? "none" : git.calls[0].files[name];
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "revision.").value();
  fs::path m_top = fs::canonical(m_folder.path());
  FakeGit git;
};

TEST_F(ReadRevision, HasAllThatGitTells) {
  put(".git/index", "an index");
  git.answers["for-each-ref"] = hash_of('b') + " commit  refs/tags/v1\n";
  git.answers["status"] = " M file\n";
  const auto found = look("sub/dir").value();
  EXPECT_EQ(found.commit, hash_of('a'));
  EXPECT_EQ(found.time, 1'700'000'000U);
  EXPECT_EQ(found.branch, "main");
  EXPECT_EQ(found.folder, "sub/dir");
  EXPECT_EQ(found.commits, 2U);
  EXPECT_TRUE(found.is_dirty);
  ASSERT_EQ(found.tags.size(), 1U);
  EXPECT_EQ(describe(found), "v1-1-gaaaaaaa-dirty");
  EXPECT_EQ(look()->folder, "") << "the repository itself";
}

TEST_F(ReadRevision, AsksGitWithoutTheRepositorysConfiguration) {
  put(".git/index", "an index");
  look("sub");
  const std::vector<Words> expected = {
      {"/opt/git", "--no-pager", "rev-list", "--timestamp", "--parents", "--max-count=200000", "HEAD"},
      {"/opt/git", "--no-pager", "for-each-ref",
       "--format=%(objectname) %(objecttype) %(*objectname) %(refname)", "refs/tags"},
      {"/opt/git", "--no-pager", "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"},
  };
  ASSERT_EQ(git.calls.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& command = git.calls[i].command;
    EXPECT_EQ(command.arguments, expected[i]);
    EXPECT_EQ(command.folder, top());
    auto environment = command.environment;
    const fs::path own = environment["GIT_DIR"];
    EXPECT_TRUE(own.filename().string().starts_with("pachbuild-git-")) << own;
    EXPECT_FALSE(fs::exists(own)) << "it is gone";
    EXPECT_EQ(environment, (process::Environment{{"LC_ALL", "C"},
                                                 {"HOME", own.string()},
                                                 {"PATH", "/usr/bin:/bin"},
                                                 {"GIT_CONFIG_NOSYSTEM", "1"},
                                                 {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                 {"GIT_DIR", own.string()},
                                                 {"GIT_WORK_TREE", top().string()},
                                                 {"GIT_OBJECT_DIRECTORY", (top() / ".git/objects").string()},
                                                 {"GIT_INDEX_FILE", (own / "index").string()},
                                                 {"GIT_OPTIONAL_LOCKS", "0"},
                                                 {"GIT_TERMINAL_PROMPT", "0"},
                                                 {"GIT_NO_LAZY_FETCH", "1"},
                                                 {"GIT_ALLOW_PROTOCOL", "none"},
                                                 {"GIT_NO_REPLACE_OBJECTS", "1"}}));
  }
  auto& files = git.calls[2].files;
  EXPECT_EQ(files["HEAD"], hash_of('a') + "\n");
  EXPECT_EQ(files["index"], "an index");
  EXPECT_EQ(files["objects"] + files["refs"], "folderfolder");
  EXPECT_FALSE(files.contains("shallow"));
}

TEST_F(ReadRevision, WithoutACommitThereIsNone) {
  EXPECT_EQ(commit(), hash_of('a'));
  for (const std::string head : {"", "ref: refs/heads/other\n", "ref: refs/tags/main\n",
                                 "ref: refs/heads/a..b\n", "ref:refs/heads/main\n", "main\n", "aaaa\n"}) {
    put(".git/HEAD", head);
    EXPECT_EQ(commit(), "") << head;
    EXPECT_TRUE(git.calls.empty()) << head;
  }
  put(".git/HEAD", "ref: refs/heads/main");
  EXPECT_EQ(commit(), hash_of('a')) << "without an end of line";
  for (const auto& hash :
       {hash_of('a', 39), hash_of('a', 41), hash_of('a', 63), hash_of('g'), hash_of('A')}) {
    put(".git/refs/heads/main", hash);
    EXPECT_EQ(commit(), "") << hash;
    put(".git/HEAD", hash);
    EXPECT_EQ(commit(), "") << hash;
    put(".git/HEAD", "ref: refs/heads/main");
  }
  for (const auto& hash : {hash_of('0'), hash_of('f', 64), hash_of('9')}) {
    put(".git/HEAD", hash + "\n");
    const auto detached = look().value();
    EXPECT_EQ(detached.commit, hash);
    EXPECT_EQ(detached.branch, "");
  }
}

TEST_F(ReadRevision, TheRepositoryIsTheNearestOneAbove) {
  EXPECT_TRUE(is_in_repository(top() / "sub" / "dir"));
  EXPECT_TRUE(is_in_repository(top()));
  EXPECT_FALSE(is_in_repository(top() / "none"));
  // What is not a whole one is not looked at.
  put("sub/.git/HEAD", hash_of('c'));
  EXPECT_EQ(commit("sub/dir"), hash_of('a')) << "no objects";
  ASSERT_TRUE(base::make_folders(top() / "sub" / ".git" / "objects"));
  EXPECT_EQ(commit("sub/dir"), hash_of('c'));
  EXPECT_EQ(look("sub/dir")->folder, "dir");
  take("sub/.git/HEAD");
  EXPECT_EQ(commit("sub/dir"), hash_of('a')) << "no HEAD";
  EXPECT_EQ(commit("none"), "") << "no such folder";
  take(".git/objects");
  put(".git/objects", "");
  EXPECT_EQ(commit(), "");
  EXPECT_FALSE(is_in_repository(top()));
}

TEST_F(ReadRevision, AFileCanNameTheRepository) {
  // As `git worktree add` makes it: HEAD and the index of its own, the rest of the other.
  put("own/HEAD", hash_of('d'));
  put("own/index", "its index");
  put("tree/.git", "gitdir: " + (top() / "own").string() + "\n");
  put("tree/inner/file", "");
  for (const std::string& common : std::vector<std::string>{"../.git\n", (top() / ".git").string()}) {
    put("own/commondir", common);
    const auto found = look("tree/inner").value();
    EXPECT_EQ(found.commit, hash_of('d'));
    EXPECT_EQ(found.folder, "inner");
    EXPECT_EQ(git.calls[2].files["index"], "its index");
    EXPECT_EQ(fs::canonical(git.calls[0].command.environment.at("GIT_OBJECT_DIRECTORY")),
              top() / ".git/objects");
  }
  put("tree/.git", "gitdir:   ../own  ");
  EXPECT_EQ(commit("tree"), hash_of('d')) << "from where the file is";
  put("tree/.git", "gitdix: ../own\n");
  EXPECT_EQ(commit("tree"), hash_of('a')) << "the one above";
  put("tree/.git", "gitdir: ../none\n");
  EXPECT_EQ(commit("tree"), hash_of('a'));
}

TEST_F(ReadRevision, RefsArePackedOrFilesOfTheirOwn) {
  take(".git/refs/heads/main");
  EXPECT_EQ(commit(), "");
  put(".git/packed-refs", "# pack-refs with: peeled fully-peeled sorted\n" + hash_of('b') +
                              " refs/heads/main\n" + hash_of('1') + " refs/heads/other\n" + hash_of('2') +
                              " refs/tags/v1\n^" + hash_of('3') + "\n" + hash_of('4') + " refs/tags/v2\n" +
                              hash_of('x') + " refs/tags/bad\nnothing\n" + hash_of('5') +
                              " refs/tags/a..b\n" + hash_of('5') + " refs/remotes/origin/main\n");
  EXPECT_EQ(commit(), hash_of('b'));
  put(".git/refs/heads/main", hash_of('c'));
  EXPECT_EQ(commit(), hash_of('c')) << "the file is newer";
  put(".git/refs/heads/main", "damaged");
  EXPECT_EQ(commit(), hash_of('b'));
  put(".git/refs/tags/v2", hash_of('6') + "\nmore");
  put(".git/refs/tags/group/v3", hash_of('7', 64));
  put(".git/refs/tags/damaged", hash_of('7', 41));
  fs::create_symlink("v2", top() / ".git/refs/tags/link");
  EXPECT_EQ(file("packed-refs"), hash_of('7', 64) + " refs/tags/group/v3\n" + hash_of('2') +
                                     " refs/tags/v1\n" + hash_of('6') + " refs/tags/v2\n");
}

TEST_F(ReadRevision, OnlySettingsThatSayHowFilesCompareAreKept) {
  const std::string begin = "[core]\n\trepositoryformatversion = 0\n";
  const std::string end = "\tfsmonitor = false\n\thooksPath = /dev/null\n";
  EXPECT_EQ(file("config"), begin + end);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"[core]\n\tfileMode = false\n", "\tfilemode = false\n"},
      {"[core]\nautocrlf=input\n symlinks = true \nignoreCase = True\n",
       "\tautocrlf = input\n\tsymlinks = true\n\tignorecase = true\n"},
      {"[CORE]\nfilemode = true", "\tfilemode = true\n"},
      {"filemode = false\n", ""},
      {"[other]\nfilemode = false\n", ""},
      {"[core]\n[other]\nfilemode = false\n[core]\nsymlinks = false\n", "\tsymlinks = false\n"},
      {"[core]\nfsmonitor = /bin/sh\nhooksPath = true\nworktree = false\n", ""},
      {"[core]\nfilemode = maybe\nautocrlf\nsymlinks =\n= true\n", ""},
  };
  for (const auto& [config, kept] : rows) {
    put(".git/config", config);
    EXPECT_EQ(file("config"), begin + kept + end) << config;
  }
  put(".git/config", "");
  put(".git/refs/heads/main", hash_of('a', 64));
  EXPECT_EQ(file("config"),
            "[core]\n\trepositoryformatversion = 1\n" + end + "[extensions]\n\tobjectFormat = sha256\n");
}

TEST_F(ReadRevision, WhereItsHistoryIsCutOffGitIsTold) {
  put(".git/shallow", hash_of('b') + "\n");
  EXPECT_EQ(file("shallow"), hash_of('b') + "\n");
}

TEST_F(ReadRevision, WhatGitCannotSayIsLeftOut) {
  put(".git/index", "");
  git.answers["status"] = " M file\n";
  git.answers.erase("for-each-ref");
  EXPECT_TRUE(look()->tags.empty());
  EXPECT_TRUE(look()->is_dirty);
  git.answers.erase("status");
  EXPECT_FALSE(look()->is_dirty);
  for (const std::string said : {"", "\n", "1700000000\n"}) {
    git.answers["rev-list"] = said;
    EXPECT_EQ(look().has_value(), false) << said;
  }
  git.answers.erase("rev-list");
  EXPECT_FALSE(look());
}

TEST_F(ReadRevision, GitThatCannotBeRunIsAnError) {
  put(".git/index", "");
  for (const std::string verb : {"rev-list", "for-each-ref", "status"}) {
    git.broken = verb;
    const auto found = read(top(), "git", git);
    ASSERT_FALSE(found) << verb;
    EXPECT_EQ(found.error().what, "cannot be started");
  }
}

TEST_F(ReadRevision, WithoutAnIndexNothingWasChanged) {
  git.answers["status"] = " M file\n";
  EXPECT_FALSE(look()->is_dirty);
  EXPECT_EQ(git.calls.size(), 2U);
  put(".git/index", "");
  EXPECT_TRUE(look()->is_dirty);
  git.answers["status"] = "";
  EXPECT_FALSE(look()->is_dirty);
  // Nobody has a larger one.
  git.answers["status"] = " M file\n";
  ASSERT_EQ(::truncate((top() / ".git/index").c_str(), (off_t{256} << 20) + 1), 0);
  EXPECT_FALSE(look()->is_dirty);
}

// a ── b ── d ── e
//  \─ c ───/
TEST_F(ReadRevision, CountsCommitsSinceTagsAsGitDescribe) {
  const auto line = [](const std::string& commits) {
    std::string text = "1";
    for (const char commit : commits) text += " " + hash_of(commit);
    return text + "\n";
  };
  git.answers["rev-list"] =
      line("abc") + line("bd") + line("cd") + line("de") + line("ef");  // f is not there
  const auto tagged = [](char commit, const std::string& name) {
    return hash_of(commit) + " commit  refs/tags/" + name + "\n";
  };
  const auto annotated = [](char commit, const std::string& name) {
    return hash_of('9') + " tag " + hash_of(commit) + " refs/tags/" + name + "\n";
  };
  git.answers["for-each-ref"] = tagged('e', "e") + tagged('d', "d") + tagged('c', "c") + tagged('b', "b2") +
                                annotated('b', "b3") + tagged('b', "b1") + annotated('b', "b4") +
                                tagged('a', "a/a") + tagged('f', "f") + annotated('f', "f2") + hash_of('a') +
                                " commit refs/tags/three-fields\n" + hash_of('a') +
                                " commit  refs/heads/main\n";
  const auto found = look().value();
  EXPECT_EQ(found.commits, 5U);
  std::string tags;
  for (const auto& tag : found.tags)
    tags += tag.name + " " + std::to_string(tag.distance) + (tag.is_annotated ? " annotated\n" : "\n");
  EXPECT_EQ(tags,
            "a/a 0\n"
            "b3 2 annotated\nb4 2 annotated\nb1 2\nb2 2\nc 2\n"
            "d 3\ne 4\n");
}

TEST_F(ReadRevision, OfVeryManyTagsTheNewestCount) {
  for (const std::size_t count : {200U, 201U}) {
    std::string tags = hash_of('b') + " commit  refs/tags/old\n";
    for (std::size_t i = 1; i < count; ++i)
      tags += hash_of('a') + " commit  refs/tags/v" + std::to_string(i) + "\n";
    git.answers["for-each-ref"] = tags;
    const auto found = look().value();
    EXPECT_EQ(found.tags.size(), 200U);
    EXPECT_EQ(found.tags.back().name == "old", count == 200) << count;
  }
}

}  // namespace
}  // namespace revision
