// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/secret_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"

namespace local {
namespace {

// As a volume of Kubernetes: the files behind a link that changes with them, and a link for each key.
TEST(SecretFiles, AreLaidOutAsByKubernetes) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "secretfiles.").value();
  const auto one = folder.path() / "one";
  const auto two = folder.path() / "two";
  for (const auto& path : {one, two}) ASSERT_TRUE(base::make_folders(path));
  const SecretFolders folders = {{one.string(), {{"user", "me"}, {"password", "p\n"}}},
                                 {two.string(), {{"x", "y"}}}};
  ASSERT_TRUE(show_secrets(folders, SecretMounts::prepared));
  std::vector<std::string> names;
  for (const auto& entry : base::fs::directory_iterator(one))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  const std::string values = "..2026_01_01_00_00_00.000000000";
  EXPECT_EQ(names, (std::vector<std::string>{values, "..data", "password", "user"}));
  EXPECT_EQ(base::fs::read_symlink(one / "..data"), values);
  EXPECT_EQ(base::fs::read_symlink(one / "user"), "..data/user");
  EXPECT_EQ(base::read_file(one / "user").value(), "me");
  EXPECT_EQ(base::read_file(one / "password").value(), "p\n");
  EXPECT_EQ(base::read_file(two / "x").value(), "y");
  const auto mode = [](const base::fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
  };
  EXPECT_EQ(mode(one / "user"), 0444U);
  EXPECT_EQ(mode(one / values), 0555U);
  EXPECT_EQ(mode(one), 0555U);
  const auto again = show_secrets({{two.string(), {{"x", "z"}}}}, SecretMounts::prepared);
  ASSERT_FALSE(again) << "it was filled already";
  EXPECT_EQ(again.error().where, (two / "..data").string());
  for (const auto& path : {one, one / values, two, two / values}) ::chmod(path.c_str(), 0755);
}

}  // namespace
}  // namespace local
