// SPDX-License-Identifier: Apache-2.0
// Downloads are shared by all ways of building, what was built is not.
#include "builder-runtime/languages/python/install/uv_cache.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace builder::python {
namespace {

namespace fs = base::fs;

class UvCaches : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "uvcache.").value();
  const fs::path& shared() const { return m_folder.path(); }

  [[nodiscard]] UvCache open(char key) const { return UvCache::open(shared(), std::string(64, key)).value(); }
  static void put(const fs::path& folder, const std::string& text) {
    ASSERT_TRUE(base::make_folders(folder));
    ASSERT_TRUE(base::write_file(folder / "file", text));
  }
  static std::string in(const fs::path& folder) { return base::read_file(folder / "file").value_or("none"); }
};

TEST_F(UvCaches, ShareTheBucketsOfDownloads) {
  fs::path first;
  {
    const auto cache = open('a');
    first = cache.folder();
    EXPECT_EQ(first, shared() / "pachbuild" / std::string(32, 'a'));
    for (const char* name : {"wheels-v5", "archive-v0", "sdists-v9", "built-wheels-v3", "builds-v0", "other"})
      put(first / name, name);
    ASSERT_TRUE(base::write_file(first / "file-v1", "no folder"));
  }
  const auto other = open('b');
  for (const char* bucket : {"wheels-v5", "archive-v0"}) {
    for (const auto& folder : {shared(), first, other.folder()}) EXPECT_EQ(in(folder / bucket), bucket);
  }
  for (const char* own : {"sdists-v9", "built-wheels-v3", "builds-v0", "other"}) {
    EXPECT_EQ(in(other.folder() / own), "none") << own;
    EXPECT_EQ(in(shared() / own), "none") << own;
    EXPECT_EQ(in(first / own), own);
  }
  EXPECT_FALSE(fs::exists(shared() / "file-v1"));
}

TEST_F(UvCaches, WhatIsSharedAlreadyStays) {
  put(shared() / "wheels-v5", "shared");
  const auto cache = open('a');
  EXPECT_EQ(in(cache.folder() / "wheels-v5"), "shared");
  EXPECT_TRUE(fs::is_symlink(cache.folder() / "wheels-v5"));
}

TEST_F(UvCaches, NothingIsMovedWhileAnotherUsesTheCache) {
  const auto user = open('a');
  {
    const auto second = open('a');
    put(second.folder() / "wheels-v5", "downloaded");
  }
  EXPECT_EQ(in(shared() / "wheels-v5"), "none");
  EXPECT_EQ(in(user.folder() / "wheels-v5"), "downloaded");
}

TEST_F(UvCaches, AMovedOneIsSharedOnce) {
  {
    auto first = open('a');
    const auto second = std::move(first);
    put(second.folder() / "wheels-v5", "downloaded");
  }
  EXPECT_EQ(in(shared() / "wheels-v5"), "downloaded");
}

TEST_F(UvCaches, ThatCannotBeMadeIsAnError) {
  ASSERT_TRUE(base::make_folders(shared() / "pachbuild" / std::string(32, 'a') / ".pachbuild-lock"));
  EXPECT_FALSE(UvCache::open(shared(), std::string(64, 'a'))) << "its lock is a folder";
  ASSERT_TRUE(base::write_file(shared() / "file", ""));
  EXPECT_FALSE(UvCache::open(shared() / "file", std::string(64, 'a')));
}

TEST_F(UvCaches, ABucketIsAFolderWithAVersionInItsName) {
  for (const char* name : {"simple-v1", "simplev1", "git", "interpreter-v4"}) put(shared() / name, name);
  fs::create_symlink(shared() / "git", shared() / "link-v1");
  const auto cache = open('a');
  for (const char* name : {"simple-v1", "interpreter-v4"}) EXPECT_EQ(in(cache.folder() / name), name);
  EXPECT_EQ(fs::read_symlink(cache.folder() / "simple-v1"), "../../simple-v1") << "the cache may be moved";
  for (const char* name : {"simplev1", "git", "link-v1"})
    EXPECT_FALSE(fs::exists(fs::symlink_status(cache.folder() / name))) << name;
}

}  // namespace
}  // namespace builder::python
