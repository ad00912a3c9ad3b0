// SPDX-License-Identifier: Apache-2.0
#include "base/workspace.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/filesystem/operations.hpp>
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

}  // namespace
}  // namespace base
