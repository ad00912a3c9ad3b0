// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cache/disk_use.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/stop.h"

namespace cached {
namespace {

namespace fs = base::fs;

class DiskUseTest : public testing::Test {
 protected:
  fs::path write(const std::string& path, std::size_t size) const {
    const auto file = m_folder.path() / path;
    EXPECT_TRUE(base::make_folders(file.parent_path()));
    EXPECT_TRUE(base::write_file(file, std::string(size, 'x')));
    return file;
  }
  static std::uint64_t blocks(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "use.").value();
};

TEST_F(DiskUseTest, IsThatOfFilesAndFolders) {
  const auto a = write("tree/a", 10'000);
  const auto b = write("tree/below/b", 1);
  fs::create_symlink("/usr", m_folder.path() / "tree/link");
  DiskUse use;
  ASSERT_TRUE(use.add(m_folder.path() / "tree"));
  const auto folders = blocks(m_folder.path() / "tree") + blocks(m_folder.path() / "tree/below");
  EXPECT_EQ(use.files(), 3U);
  EXPECT_EQ(use.bytes(), blocks(a) + blocks(b) + folders + blocks(m_folder.path() / "tree/link"));
  EXPECT_EQ(use.bytes_freed(), use.bytes());
  EXPECT_GE(use.bytes(), 10'001U);
}

TEST_F(DiskUseTest, AFileOfSeveralNamesCountsOnceAndIsFreedWithTheLast) {
  const auto a = write("one/a", 10'000);
  const auto b = write("two/b", 20'000);
  fs::create_hard_link(a, m_folder.path() / "one/again");
  fs::create_hard_link(b, m_folder.path() / "elsewhere");
  DiskUse use;
  ASSERT_TRUE(use.add(m_folder.path() / "one"));
  EXPECT_EQ(use.files(), 1U);
  EXPECT_EQ(use.bytes(), blocks(a) + blocks(m_folder.path() / "one"));
  EXPECT_EQ(use.bytes_freed(), use.bytes());
  ASSERT_TRUE(use.add(m_folder.path() / "two"));
  EXPECT_EQ(use.files(), 2U);
  EXPECT_EQ(use.bytes() - use.bytes_freed(), blocks(b));
  ASSERT_TRUE(use.add(m_folder.path() / "elsewhere"));
  EXPECT_EQ(use.bytes(), use.bytes_freed());
}

TEST_F(DiskUseTest, OfWhatIsMissingIsNothing) {
  DiskUse use;
  ASSERT_TRUE(use.add(m_folder.path() / "missing"));
  EXPECT_EQ(use.files(), 0U);
  EXPECT_EQ(use.bytes(), 0U);
  EXPECT_EQ(use.bytes_freed(), 0U);
  EXPECT_EQ(use.changed(), std::chrono::system_clock::time_point());
}

TEST_F(DiskUseTest, KnowsTheLatestChange) {
  const auto set = [](const fs::path& path, time_t seconds) {
    const std::array<timespec, 2> times = {timespec{seconds, 0}, timespec{seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  };
  set(write("tree/a", 1), 3000);
  set(write("tree/b", 1), 2000);
  set(m_folder.path() / "tree", 1000);
  DiskUse use;
  ASSERT_TRUE(use.add(m_folder.path() / "tree"));
  EXPECT_EQ(std::chrono::system_clock::to_time_t(use.changed()), 3000);
}

TEST_F(DiskUseTest, CanBeStopped) {
  write("tree/a", 1);
  const base::StopQuestion question([] { return true; });
  EXPECT_FALSE(DiskUse().add(m_folder.path() / "tree"));
}

}  // namespace
}  // namespace cached
