// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/workspace.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace builder {
namespace {

namespace fs = base::fs;

class WorkspaceTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "workspace.").value();
};

TEST_F(WorkspaceTest, GoesWithItsOwner) {
  fs::path path;
  {
    const auto workspace = Workspace::make(m_folder.path()).value();
    path = workspace.path();
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(WorkspaceTest, TheRemainsOfAKilledOwnerGoAndThoseInUseStay) {
  const auto used = Workspace::make(m_folder.path()).value();
  const fs::path orphan = m_folder.path() / "build-orphan";
  ASSERT_TRUE(base::make_folders(orphan / "tree"));
  ASSERT_TRUE(base::make_folders(m_folder.path() / "another's"));
  const auto next = Workspace::make(m_folder.path()).value();
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(fs::exists(used.path()));
  EXPECT_TRUE(fs::exists(m_folder.path() / "another's"));
}

}  // namespace
}  // namespace builder
