// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/fixed_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <future>
#include <optional>

namespace builder::declared {
namespace {

namespace fs = base::fs;

const std::string k_fixed_key(64, 'a');

TEST(DeclaredFixedFolder, ItsPathIsThatOfTheKeyAndItGoesWithItsOwner) {
  const auto parent = base::TemporaryFolder::make(testing::TempDir(), "fixed.").value();
  fs::path path;
  {
    const auto folder = FixedFolder::make(k_fixed_key, parent.path()).value();
    path = folder.path();
    EXPECT_EQ(path, parent.path() / "pachbuild-aaaaaaaaaaaaaaaa");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
    ASSERT_TRUE(base::make_folders(path / "tree/x"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(DeclaredFixedFolder, WhatAKilledBuildLeftGoes) {
  const auto parent = base::TemporaryFolder::make(testing::TempDir(), "fixed.").value();
  for (const std::string name : {"pachbuild-aaaaaaaaaaaaaaaa", "pachbuild-bbbbbbbbbbbbbbbb",
                                 "pachbuild-bbbbbbbbbbbbbbbg", "pachbuild-bbb", "other"}) {
    ASSERT_TRUE(base::make_folders(parent.path() / name / "tree/old", 0700));
  }
  const auto folder = FixedFolder::make(k_fixed_key, parent.path()).value();
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_FALSE(fs::exists(parent.path() / "pachbuild-bbbbbbbbbbbbbbbb"));
  EXPECT_TRUE(fs::exists(parent.path() / "pachbuild-bbbbbbbbbbbbbbbg/tree/old"));
  EXPECT_TRUE(fs::exists(parent.path() / "pachbuild-bbb"));
  EXPECT_TRUE(fs::exists(parent.path() / "other"));
}

TEST(DeclaredFixedFolder, ASecondBuildWaits) {
  const auto parent = base::TemporaryFolder::make(testing::TempDir(), "fixed.").value();
  std::optional<FixedFolder> first(FixedFolder::make(k_fixed_key, parent.path()).value());
  auto second = std::async(std::launch::async, [&] { return FixedFolder::make(k_fixed_key, parent.path()); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  first.reset();
  const auto made = second.get();
  ASSERT_TRUE(made);
  EXPECT_TRUE(fs::is_directory(made->path()));
}

TEST(DeclaredFixedFolder, WhatOthersMayEnterIsRefused) {
  const auto parent = base::TemporaryFolder::make(testing::TempDir(), "fixed.").value();
  const auto path = parent.path() / "pachbuild-aaaaaaaaaaaaaaaa";
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0710), 0);
  const auto refused = FixedFolder::make(k_fixed_key, parent.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, base::ErrorKind::cannot_write);
  EXPECT_EQ(refused.error().where, path.string());
  fs::remove_all(path);
  fs::create_symlink("/", path);
  EXPECT_FALSE(FixedFolder::make(k_fixed_key, parent.path()));
}

}  // namespace
}  // namespace builder::declared
