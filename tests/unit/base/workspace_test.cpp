// SPDX-License-Identifier: Apache-2.0
#include "base/workspace.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <string>
#include <thread>
#include <vector>

namespace base {
namespace {

class WorkspaceTest : public testing::Test {
 protected:
  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "workspace.").value();
};

TEST_F(WorkspaceTest, GoesWithItsOwner) {
  fs::path path;
  {
    const auto workspace = Workspace::make(m_folder.path(), "build-").value();
    path = workspace.path();
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(WorkspaceTest, TheRemainsOfAKilledOwnerGoAndThoseInUseStay) {
  const auto used = Workspace::make(m_folder.path(), "build-").value();
  const fs::path orphan = m_folder.path() / "build-killed";
  ASSERT_TRUE(make_folders(orphan / "tree"));
  ASSERT_TRUE(make_folders(m_folder.path() / "another's"));
  const auto next = Workspace::make(m_folder.path(), "build-").value();
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(fs::exists(used.path()));
  EXPECT_TRUE(fs::exists(m_folder.path() / "another's"));
}

TEST_F(WorkspaceTest, TheOrphansOfAllPrefixesAreThoseThatNobodyHolds) {
  const auto used = Workspace::make(m_folder.path(), "build-").value();
  for (const auto* name : {"build-killed", "other-killed", "gone.gone"})
    ASSERT_TRUE(make_folders(m_folder.path() / name));
  for (const auto* name : {"build-killed", "other-killed"})
    ASSERT_TRUE(write_file(m_folder.path() / name / "lock", ""));
  ASSERT_TRUE(make_folders(m_folder.path() / "folder"));
  ASSERT_TRUE(make_folders(m_folder.path() / "odd" / "lock"));
  ASSERT_TRUE(write_file(m_folder.path() / "file", ""));

  auto orphans = Workspace::orphans(m_folder.path()).value();
  std::sort(orphans.begin(), orphans.end());
  const std::vector<fs::path> expected = {m_folder.path() / "build-killed", m_folder.path() / "gone.gone",
                                          m_folder.path() / "other-killed"};
  EXPECT_EQ(orphans, expected);
  EXPECT_TRUE(Workspace::is_one(used.path()));
  EXPECT_TRUE(Workspace::is_one(m_folder.path() / "gone.gone"));
  EXPECT_FALSE(Workspace::is_one(m_folder.path() / "folder"));
  EXPECT_FALSE(Workspace::is_one(m_folder.path() / "odd"));

  auto aside = Workspace::set_orphans_aside(m_folder.path()).value();
  std::sort(aside.begin(), aside.end());
  const std::vector<fs::path> places = {m_folder.path() / "build-killed.gone", m_folder.path() / "gone.gone",
                                        m_folder.path() / "other-killed.gone"};
  EXPECT_EQ(aside, places);
  for (const auto& place : places) EXPECT_TRUE(fs::exists(place));
  EXPECT_FALSE(fs::exists(m_folder.path() / "build-killed"));
  EXPECT_TRUE(fs::exists(used.path()));
}

TEST_F(WorkspaceTest, AFolderThatIsMissingHasNoOrphans) {
  EXPECT_TRUE(Workspace::orphans(m_folder.path() / "missing").value().empty());
  EXPECT_TRUE(Workspace::set_orphans_aside(m_folder.path() / "missing").value().empty());
  EXPECT_FALSE(fs::exists(m_folder.path() / "missing"));
}

TEST_F(WorkspaceTest, WhatWasPlacedAsideGoesWithTheNextOfThePrefix) {
  const auto aside = Workspace::place_aside(m_folder.path(), "build-", "1");
  EXPECT_EQ(aside, m_folder.path() / "build-1.gone");
  ASSERT_TRUE(write_file(aside, ""));
  {
    const auto other = Workspace::make(m_folder.path(), "other-").value();
  }
  EXPECT_TRUE(fs::exists(aside));
  const auto next = Workspace::make(m_folder.path(), "build-").value();
  EXPECT_FALSE(fs::exists(aside));
}

// Each looks for orphans while the others have just made a folder that they have not locked yet.
TEST_F(WorkspaceTest, OfManyAtOnceNoneTakesAnothersForAnOrphan) {
  std::atomic<int> lost = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 60; ++i) {
        const auto workspace = Workspace::make(m_folder.path(), "build-");
        if (!workspace || !write_file(workspace->path() / "file", "x") ||
            !fs::exists(workspace->path() / "lock"))
          ++lost;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lost, 0);
  EXPECT_TRUE(fs::is_empty(m_folder.path()));
}

TEST_F(WorkspaceTest, OnlyItsOwnNamesAreTakenForOrphans) {
  const std::vector<std::string> staying = {"build-12345", "build-1234567",     "build-", "other-123456",
                                            "123456",      "other-123456.gone", ".gone"};
  const std::vector<std::string> going = {"build-123456", "build-abcdef", "build-123457.gone", "build-.gone",
                                          "build-12345678.gone"};
  for (const auto& name : staying) ASSERT_TRUE(make_folders(m_folder.path() / name / "tree"));
  for (const auto& name : going) ASSERT_TRUE(make_folders(m_folder.path() / name / "tree"));
  // One that cannot be renamed is left for another time.
  ASSERT_TRUE(make_folders(m_folder.path() / "build-zzzzzz" / "tree"));
  ASSERT_TRUE(make_folders(m_folder.path() / "build-zzzzzz.gone"));
  const auto workspace = Workspace::make(m_folder.path(), "build-").value();
  for (const auto& name : staying) EXPECT_TRUE(fs::exists(m_folder.path() / name / "tree")) << name;
  for (const auto& name : going) EXPECT_FALSE(fs::exists(m_folder.path() / name)) << name;
  EXPECT_TRUE(fs::exists(workspace.path() / "lock"));
  EXPECT_EQ(workspace.path().filename().size(), std::string("build-XXXXXX").size());
}

TEST_F(WorkspaceTest, IsInAFolderIntoWhichOnlyItsOwnerWrites) {
  const mode_t before = ::umask(0);
  const auto workspace = Workspace::make(m_folder.path() / "new" / "parent", "build-");
  ::umask(before);
  ASSERT_TRUE(workspace);
  for (const std::string name : {"new", "new/parent"}) {
    struct stat status{};
    ASSERT_EQ(::stat((m_folder.path() / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0755U);
  }
}

}  // namespace
}  // namespace base
