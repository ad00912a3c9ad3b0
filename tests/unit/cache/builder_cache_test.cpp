// SPDX-License-Identifier: Apache-2.0
// What is counted of entries, and in which order they go: tests/unit/builder/cache_limit_test.cpp.
#include "cache/builder_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "contract/build_record.h"

namespace caches {
namespace {

class BuilderCache : public testing::Test {
 protected:
  fs::path write(const std::string& path, const std::string& content = "x") const {
    const auto file = m_folder.path() / path;
    EXPECT_TRUE(base::make_folders(file.parent_path()));
    EXPECT_TRUE(base::write_file(file, content));
    return file;
  }
  std::vector<Entry> entries() const {
    auto all = list_entries(m_folder.path());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return all;
  }
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "cache.").value();
};

TEST_F(BuilderCache, HasBundlesOfEachLanguageBytecodeAndEnvironments) {
  write("go/bundles/key/seal");
  write("python/bundles/other/seal");
  write("python/bundles/.hidden/seal");
  write("python/bytecode/code", "1234");
  write("env/digest/bin/program", "12");
  write("env/.tmp-digest/file");
  write("python/uv/wheels-v6/file");
  const auto all = entries();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].path, m_folder.path() / "env/digest");
  EXPECT_EQ(all[0].kind, EntryKind::environment);
  EXPECT_EQ(all[0].lock, fs::path());
  EXPECT_EQ(all[0].bytes, 2 + 2 * 2048U);
  EXPECT_EQ(all[1].path, m_folder.path() / "go/bundles/key");
  EXPECT_EQ(all[1].kind, EntryKind::bundle);
  EXPECT_EQ(all[1].lock, m_folder.path() / "go/locks/key");
  EXPECT_EQ(all[1].bytes, 1 + 2048U);
  EXPECT_EQ(all[2].path, m_folder.path() / "python/bundles/other");
  EXPECT_EQ(all[2].lock, m_folder.path() / "python/locks/other");
  EXPECT_EQ(all[3].path, m_folder.path() / "python/bytecode/code");
  EXPECT_EQ(all[3].kind, EntryKind::bytecode);
  EXPECT_EQ(all[3].bytes, 4U);
}

TEST_F(BuilderCache, ThatIsMissingHasNothing) {
  EXPECT_TRUE(list_entries(m_folder.path() / "missing").empty());
  EXPECT_TRUE(list_folder(m_folder.path() / "missing").empty());
}

TEST_F(BuilderCache, TheTimeOfAnEntryWithoutAStampIsTheOldest) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "go/bundles/key"));
  ASSERT_EQ(entries().size(), 1U);
  EXPECT_EQ(entries()[0].used, Clock::time_point());
  EXPECT_EQ(last_use(m_folder.path() / "missing"), Clock::time_point());
}

TEST(GoesBefore, WhatWasUsedEarlierAndThenByName) {
  Entry a{.path = "a", .used = Clock::time_point(std::chrono::seconds(2))};
  Entry b{.path = "b", .used = Clock::time_point(std::chrono::seconds(1))};
  EXPECT_TRUE(goes_before(b, a));
  EXPECT_FALSE(goes_before(a, b));
  b.used = a.used;
  EXPECT_TRUE(goes_before(a, b));
  EXPECT_FALSE(goes_before(b, a));
  EXPECT_FALSE(goes_before(a, a));
}

TEST(EnvironmentBytes, AreThoseOfTheFilesAndHalfABlockForEach) {
  EXPECT_EQ(environment_bytes({.unpacked_bytes = 1000, .files = 3}), 1000 + 3 * 2048U);
}

TEST_F(BuilderCache, IsNobodysAloneWhileABuildHasIt) {
  {
    const auto build = lock_for_build(m_folder.path()).value();
    const auto other = lock_for_build(m_folder.path()).value();
    EXPECT_TRUE(other.held());
    EXPECT_FALSE(try_lock_alone(m_folder.path()).value().held());
  }
  EXPECT_TRUE(try_lock_alone(m_folder.path()).value().held());
}

TEST_F(BuilderCache, WhatWasPlacedAsideGoesWithTheNextWorkspace) {
  const auto aside = place_aside(m_folder.path(), "1-2");
  EXPECT_EQ(aside, m_folder.path() / "work/build-1-2.gone");
  ASSERT_TRUE(base::make_folders(aside / "tree"));
  const auto workspace = make_workspace(m_folder.path()).value();
  EXPECT_EQ(workspace.path().parent_path(), work_folder(m_folder.path()));
  EXPECT_FALSE(fs::exists(aside));
}

}  // namespace
}  // namespace caches
