// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/open_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../../steps.h"
#include "base/errors.h"
#include "base/unique_fd.h"

namespace local {
namespace {

class DetachOpenFiles : public testing::Test {
 protected:
  DetachOpenFiles() {
    EXPECT_TRUE(base::make_folders(m_out / "dir"));
    for (const auto* name : {"a", "dir/b", "dir/c"}) EXPECT_TRUE(base::write_file(m_out / name, name));
  }
  [[nodiscard]] ino_t inode(const std::string& name) const {
    struct stat status{};
    return ::lstat((m_out / name).c_str(), &status) == 0 ? status.st_ino : 0;
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "open.").value();
  base::fs::path m_out = m_folder.path() / "out";
};

TEST_F(DetachOpenFiles, CopiesWhatSomebodyMayStillWriteOnly) {
  const base::UniqueFd writer(::open((m_out / "dir/b").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ASSERT_EQ(::link((m_out / "dir/c").c_str(), (m_folder.path() / "other").c_str()), 0);
  const auto a = inode("a");
  const auto b = inode("dir/b");
  const auto c = inode("dir/c");
  ASSERT_TRUE(detach_open_files(m_out));
  EXPECT_EQ(inode("a"), a);
  EXPECT_NE(inode("dir/b"), b);
  EXPECT_NE(inode("dir/c"), c);
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  ASSERT_TRUE(base::write_file(m_folder.path() / "other", "x"));
  for (const std::string name : {"a", "dir/b", "dir/c"})
    EXPECT_EQ(base::read_file(m_out / name).value(), name);
  EXPECT_EQ(std::distance(base::fs::directory_iterator(m_out / "dir"), {}), 2) << "no copy stays";
}

TEST_F(DetachOpenFiles, WhatIsWrongWithTheOutputIsSaidByWhoTakesIt) {
  base::fs::create_symlink("/etc/passwd", m_out / "link");
  EXPECT_TRUE(detach_open_files(m_out));
  ASSERT_TRUE(base::remove_tree(m_out));
  EXPECT_EQ(detach_open_files(m_out).error().what, "was removed or replaced by the program");
}

TEST_F(DetachOpenFiles, ThatFailsIsSaid) {
  const base::UniqueFd writer(::open((m_out / "a").c_str(), O_WRONLY | O_CLOEXEC));
  const steps::Watch watch(
      [](std::string_view call, std::string_view) { return call == "rename" ? EROFS : 0; });
  EXPECT_EQ(base::format_error(detach_open_files(m_out).error()),
            "error: /pfs/out/a: cannot rename: the file system is read-only\n");
}

}  // namespace
}  // namespace local
