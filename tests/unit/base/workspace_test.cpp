// SPDX-License-Identifier: Apache-2.0
#include "base/workspace.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

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

}  // namespace
}  // namespace base
