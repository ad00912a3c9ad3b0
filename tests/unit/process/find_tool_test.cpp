// SPDX-License-Identifier: Apache-2.0
#include "process/find_tool.h"

#include <gtest/gtest.h>

namespace process {
namespace {

TEST(FindTool, PathComesFirstThenOurOwnFolder) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "tools.").value();
  const auto on_path = folder.path() / "path" / "tool";
  const auto own = folder.path() / "own" / "tool";
  for (const auto& file : {on_path, own}) {
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, "", 0755));
  }
  EXPECT_EQ(find_tool("tool", on_path.parent_path().string(), own.parent_path()), on_path.string());
  EXPECT_EQ(find_tool("tool", "/nowhere", own.parent_path()), own.string());
  EXPECT_EQ(find_tool("tool", "", "/nowhere"), std::nullopt);
}

}  // namespace
}  // namespace process
