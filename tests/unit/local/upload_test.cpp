// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/upload.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

namespace local {
namespace {

namespace fs = base::fs;

class Upload : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "upload.").value();
  fs::path out() const { return m_folder.path() / "out"; }
  void SetUp() override { ASSERT_TRUE(base::make_folders(out() / "dir")); }
};

TEST_F(Upload, FollowsLinksToFilesAndFolders) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "in" / "sub"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "in" / "sub" / "f", "content"));
  fs::create_symlink(m_folder.path() / "in", out() / "folder");
  fs::create_symlink("../../in/sub/f", out() / "dir" / "file");
  ASSERT_TRUE(make_uploadable(out()));
  EXPECT_FALSE(fs::is_symlink(out() / "folder"));
  EXPECT_EQ(base::read_file(out() / "folder" / "sub" / "f").value(), "content");
  EXPECT_FALSE(fs::is_symlink(out() / "dir" / "file"));
  EXPECT_EQ(base::read_file(out() / "dir" / "file").value(), "content");
  EXPECT_EQ(base::read_file(m_folder.path() / "in" / "sub" / "f").value(), "content");
}

TEST_F(Upload, LosesModesAndEmptyFolders) {
  ASSERT_TRUE(base::make_folders(out() / "empty" / "deeper"));
  ASSERT_TRUE(base::write_file(out() / "tool", "x", 0755));
  ASSERT_TRUE(make_uploadable(out()));
  EXPECT_FALSE(fs::exists(out() / "empty"));
  EXPECT_FALSE(fs::exists(out() / "dir"));
  struct stat status{};
  ASSERT_EQ(::stat((out() / "tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(Upload, RefusesNamesThatPfsCannotHold) {
  for (const char* name : {"a(1).txt", "b c.txt", "dir/é", "dir/x*"}) {
    ASSERT_TRUE(base::write_file(out() / name, "x"));
  }
  const auto status = make_uploadable(out());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::step_failed);
  EXPECT_EQ(status.error().where, "/pfs/out/a(1).txt, /pfs/out/dir/x*, /pfs/out/dir/é");
  EXPECT_EQ(status.error().what, "not a name that PFS can hold");
}

TEST_F(Upload, RefusesALinkToNothingAndWhatIsNoFile) {
  fs::create_symlink("nowhere", out() / "dir" / "link");
  auto status = make_uploadable(out());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, "/pfs/out/dir/link");
  EXPECT_EQ(status.error().what, "is a link to nothing");
  ASSERT_TRUE(base::remove_tree(out() / "dir"));
  ASSERT_EQ(::mkfifo((out() / "pipe").c_str(), 0644), 0);
  status = make_uploadable(out());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "is not a file");
}

TEST_F(Upload, RefusesALinkToAFolderAboveIt) {
  fs::create_symlink("..", out() / "dir" / "up");
  EXPECT_FALSE(make_uploadable(out()));
}

}  // namespace
}  // namespace local
