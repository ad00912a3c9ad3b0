// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/remote_commits.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "pachbuild/local/pool/cbor.h"
#include "tests/unit/local/fake_repos.h"

namespace local {
namespace {

using base::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RemoteCommitsTest : public testing::Test {
 protected:
  RemoteCommitsTest() {
    repos.set("a", "one");
    repos.set("b/c", "two");
    repos.set("d", "one");
    repos.asked.clear();
  }

  RemoteCommits commits() { return {store, folder.path(), &repos}; }
  base::Result<Commit> find(RemoteCommits& commits, const std::string& address = "r@master") {
    return commits.find(address, [&](const std::string& text) { warnings.push_back(text); });
  }
  std::string content(const ResultFile& file) const {
    return base::read_file(store.object(file.digest)).value_or("none");
  }

  base::TemporaryFolder folder = base::TemporaryFolder::make("/tmp", "remote-commits-").value();
  ResultStore store = ResultStore::open(folder.path()).value();
  FakeRepos repos{folder.path()};
  std::vector<std::string> warnings;
};

TEST_F(RemoteCommitsTest, ACommitIsFoundOnceAndHasNoContentYet) {
  auto here = commits();
  const auto commit = find(here);
  ASSERT_TRUE(commit);
  EXPECT_EQ(commit->id, k_first_id);
  EXPECT_EQ(commit->address, "r@master");
  EXPECT_EQ(commit->files.size(), 3U);
  repos.head = k_second_id;
  EXPECT_EQ(find(here)->id, k_first_id);
  EXPECT_THAT(repos.asked, ElementsAre("find r@master", std::string("list ") + k_first_id));
  auto later = commits();
  EXPECT_EQ(find(later)->id, k_second_id);
}

TEST_F(RemoteCommitsTest, EachContentIsFetchedOnce) {
  auto here = commits();
  const auto commit = find(here).value();
  repos.asked.clear();
  const auto first = here.fetch(commit, {0, 2});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->at(1).path, "d");
  EXPECT_EQ(content(first->at(0)), "one");
  EXPECT_EQ(content(first->at(1)), "one");
  const auto second = here.fetch(commit, {0, 1, 2});
  ASSERT_TRUE(second);
  EXPECT_EQ(content(second->at(1)), "two");
  EXPECT_THAT(repos.asked, ElementsAre("get a", "get b/c"));
}

TEST_F(RemoteCommitsTest, ACommitThatIsKnownByItsIdNeedsNoCluster) {
  const std::string address = std::string("r@") + k_first_id;
  auto here = commits();
  ASSERT_TRUE(find(here, address));
  repos.asked.clear();
  auto later = commits();
  EXPECT_TRUE(find(later, address));
  EXPECT_THAT(repos.asked, IsEmpty());
}

TEST_F(RemoteCommitsTest, OfASilentClusterTheLastKnownCommitIsTaken) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  repos.is_silent = true;
  repos.asked.clear();
  auto later = commits();
  const auto commit = find(later);
  ASSERT_TRUE(commit);
  EXPECT_EQ(commit->id, k_first_id);
  EXPECT_THAT(warnings,
              ElementsAre(HasSubstr("r@master is commit 00000000000000000000000000000001, as of ")));
  EXPECT_THAT(repos.asked, ElementsAre("find r@master soon"));
}

TEST_F(RemoteCommitsTest, ASilentClusterWithoutAKnownCommitIsAnError) {
  repos.is_silent = true;
  auto here = commits();
  const auto commit = find(here);
  ASSERT_FALSE(commit);
  EXPECT_EQ(commit.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(repos.asked, ElementsAre("find r@master"));
}

TEST_F(RemoteCommitsTest, WhatTheClusterRefusesIsNotAskedOfTheCache) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  repos.is_refusing = true;
  auto later = commits();
  EXPECT_FALSE(find(later));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(RemoteCommitsTest, WhatComesOtherwiseThanListedIsNotKept) {
  auto here = commits();
  const auto commit = find(here).value();
  repos.files["a"] = "0ne";
  const auto damaged = here.fetch(commit, {0});
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().where, "r@master:/a");
  EXPECT_EQ(damaged.error().kind, ErrorKind::network);
  repos.files["a"] = "one";
  EXPECT_TRUE(here.fetch(commit, {0}));
}

TEST_F(RemoteCommitsTest, WhatDoesNotComeIsAnError) {
  auto here = commits();
  const auto commit = find(here).value();
  repos.lost = "b/c";
  const auto fetched = here.fetch(commit, {1});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().what, "did not arrive, although the cluster lists it");
}

TEST_F(RemoteCommitsTest, ASilentClusterIsAskedOnce) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  ASSERT_TRUE(find(here, "r@other"));
  repos.is_silent = true;
  repos.asked.clear();
  auto later = commits();
  ASSERT_TRUE(find(later));
  ASSERT_TRUE(find(later, "r@other"));
  EXPECT_THAT(repos.asked, ElementsAre("find r@master soon"));
  EXPECT_EQ(warnings.size(), 2U);
  EXPECT_THAT(warnings.back(), HasSubstr("r@other is commit "));
}

TEST_F(RemoteCommitsTest, ACommitIsOfItsAddressItsRepoAndItsCluster) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  repos.asked.clear();
  // The listing of a commit is that of any branch of its repo; where a branch is, of its own.
  auto later = commits();
  ASSERT_TRUE(find(later, "r@other"));
  ASSERT_TRUE(find(later, "s@master"));
  EXPECT_THAT(repos.asked, ElementsAre("find r@other", "find s@master", std::string("list ") + k_first_id));
}

TEST_F(RemoteCommitsTest, WhereABranchWasIsKnownOfItsClusterOnly) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  repos.is_silent = true;
  repos.name = "there";
  auto there = commits();
  EXPECT_FALSE(find(there));
  repos.name = "here";
  auto again = commits();
  EXPECT_TRUE(find(again));
}

TEST_F(RemoteCommitsTest, HasFilesInOrderWithTheirHashes) {
  repos.set("b", "x");
  repos.set("b-c", "y");
  auto here = commits();
  const auto commit = find(here).value();
  std::vector<std::string> paths;
  for (const auto& file : commit.files) paths.push_back(file.path);
  EXPECT_THAT(paths, ElementsAre("a", "b", "b/c", "b-c", "d"));
  EXPECT_TRUE(commit.is_ours);
  EXPECT_TRUE(commit.is_remote());
  EXPECT_EQ(commit.place(), "r@master");
  EXPECT_EQ(commit.files[0].size, 3U);
  EXPECT_EQ(commit.files[0].digest, commit.files[4].digest) << "the same content";
  EXPECT_EQ(commit.files[0].digest.size(), 64U);
}

TEST_F(RemoteCommitsTest, AHashOfAnotherKindIsAnError) {
  auto here = commits();
  for (const std::string hash : {"", "?", "YWJj"}) {
    repos.hashes["a"] = hash;
    repos.head = std::string(31, '0') + std::to_string(2 + hash.size());
    const auto commit = find(here, "r@" + std::to_string(hash.size()));
    ASSERT_FALSE(commit) << hash;
    EXPECT_EQ(commit.error().where, "r@" + std::to_string(hash.size()));
    EXPECT_EQ(commit.error().what, "has \"a\" with an unknown kind of hash");
    EXPECT_EQ(commit.error().kind, ErrorKind::io);
  }
}

TEST_F(RemoteCommitsTest, SaysHowOldWhatItGoesOnWithIs) {
  auto here = commits();
  ASSERT_TRUE(find(here));
  base::fs::path memory;
  for (const auto& entry : base::fs::directory_iterator(folder.path() / "clusters")) memory = entry.path();
  repos.is_silent = true;
  const std::pair<std::int64_t, std::string> k_ages[] = {
      {-50, "0 s"},  {0, "0 s"},        {119, "119 s"},      {120, "2 min"},      {7199, "119 min"},
      {7200, "2 h"}, {172'799, "47 h"}, {172'800, "2 days"}, {864'000, "10 days"}};
  for (const auto& [age, text] : k_ages) {
    warnings.clear();
    // Within the second in which it is read.
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto now = base::seconds_now();
      ASSERT_TRUE(save_sealed(memory, 1, {{"id", k_first_id}, {"time", now - age}}));
      auto later = commits();
      ASSERT_TRUE(find(later));
      if (base::seconds_now() == now) break;
      warnings.clear();
    }
    EXPECT_THAT(warnings, ElementsAre(std::string("the cluster cannot be reached; r@master is commit ") +
                                      k_first_id + ", as of " + text + " ago"))
        << age;
  }
  ASSERT_TRUE(save_sealed(memory, 1, {{"id", 1}, {"time", 1}}));
  auto damaged = commits();
  EXPECT_FALSE(find(damaged));
}

TEST_F(RemoteCommitsTest, WhatComesAlongIsNotTaken) {
  auto here = commits();
  const auto commit = find(here).value();
  repos.extra = "more";
  const auto fetched = here.fetch(commit, {0});
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->at(0).size, 3U);
  EXPECT_EQ(fetched->at(0).path, "a");
  EXPECT_THAT(here.fetch(commit, {}).value(), IsEmpty());
}

}  // namespace
}  // namespace local
