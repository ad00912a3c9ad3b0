// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <utility>

namespace base {
namespace {

TEST(MappedFile, ShowsAFilesContent) {
  const auto folder = TemporaryFolder::make(testing::TempDir(), "mapped.").value();
  ASSERT_TRUE(write_file(folder.path() / "f", "content"));
  auto file = MappedFile::open(folder.path() / "f").value();
  const MappedFile moved = std::move(file);
  EXPECT_EQ(moved.content(), "content");
}

TEST(MappedFile, IsAnErrorWhereThereIsNothingToMap) {
  const auto folder = TemporaryFolder::make(testing::TempDir(), "mapped.").value();
  ASSERT_TRUE(write_file(folder.path() / "empty", ""));
  for (const auto& path : {folder.path() / "empty", folder.path() / "missing", folder.path()}) {
    const auto file = MappedFile::open(path);
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().kind, ErrorKind::io);
    EXPECT_EQ(file.error().where, path.string());
  }
}

}  // namespace
}  // namespace base
