// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/work_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

namespace builder::declared {
namespace {

class DeclaredWorkCopy : public testing::Test {
 protected:
  DeclaredWorkCopy() { fs::create_directories(m_source); }

  void file(const std::string& path, const std::string& content) {
    fs::create_directories((m_source / path).parent_path());
    ASSERT_TRUE(base::write_file(m_source / path, content));
  }
  void update() {
    const auto files = SourceFiles::list(m_source, {}).value();
    auto copy = WorkCopy::open(m_work).value();
    EXPECT_EQ(copy.path(), m_work);
    ASSERT_TRUE(copy.bring_up_to_date(files, files.all()));
  }
  std::string in_work(const std::string& path) { return base::read_file(m_work / path).value_or("none"); }
  void set_time(const fs::path& path, time_t seconds) {
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  time_t time_in_work(const std::string& path) {
    struct stat status{};
    ::stat((m_work / path).c_str(), &status);
    return status.st_mtim.tv_sec;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "work.").value();
  fs::path m_source = m_folder.path() / "source";
  fs::path m_work = m_folder.path() / "cache/work";
};

TEST_F(DeclaredWorkCopy, WhatIsTheSameStaysUntouched) {
  file("a", "1");
  file("d/b\n", "2");
  update();
  EXPECT_EQ(in_work("a") + in_work("d/b\n"), "12");
  struct stat before{};
  ASSERT_EQ(::stat((m_work / "a").c_str(), &before), 0);
  file("d/b\n", "3");
  set_time(m_source / "d/b\n", 1);
  set_time(m_source / "a", 1);
  update();
  EXPECT_EQ(in_work("d/b\n"), "3");
  EXPECT_GT(time_in_work("d/b\n"), 1'000'000'000);
  struct stat after{};
  ASSERT_EQ(::stat((m_work / "a").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(DeclaredWorkCopy, WhatLeftTheSourceGoesAndWhatWasMadeStays) {
  file("a", "1");
  file("d/b", "2");
  update();
  ASSERT_TRUE(base::write_file(m_work / "made", "x"));
  fs::remove_all(m_source / "d");
  update();
  EXPECT_FALSE(fs::exists(m_work / "d"));
  EXPECT_EQ(in_work("made"), "x");
  file("d", "a file now");
  update();
  EXPECT_EQ(in_work("d"), "a file now");
}

TEST_F(DeclaredWorkCopy, WhatCommandsChangedIsTheSourcesAgain) {
  file("a", "1");
  update();
  ASSERT_TRUE(base::write_file(m_work / "a", "spoilt"));
  update();
  EXPECT_EQ(in_work("a"), "1");
  fs::remove(m_work / "a");
  const auto outside = m_folder.path() / "outside";
  ASSERT_TRUE(base::write_file(outside, "kept"));
  fs::create_symlink(outside, m_work / "a");
  update();
  EXPECT_EQ(in_work("a"), "1");
  EXPECT_EQ(base::read_file(outside).value(), "kept");
  fs::permissions(m_source / "a", fs::add_perms | fs::owner_exe);
  update();
  struct stat status{};
  ASSERT_EQ(::stat((m_work / "a").c_str(), &status), 0);
  EXPECT_NE(status.st_mode & S_IXUSR, 0U);
}

TEST_F(DeclaredWorkCopy, ADamagedNoteMeansThatAllIsCopied) {
  file("a", "1");
  update();
  for (const std::string note : {"", "x", "a\tb\tzz\n", "a\tb\t6\n", "a\tb\t61\tc\n"}) {
    ASSERT_TRUE(base::write_file(m_work.string() + ".files", note));
    ASSERT_TRUE(base::write_file(m_work / "a", "spoilt"));
    update();
    EXPECT_EQ(in_work("a"), "1") << note;
  }
}

}  // namespace
}  // namespace builder::declared
