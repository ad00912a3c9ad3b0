// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

namespace base {
namespace {

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_folders(path() / "a" / "b"));
    ASSERT_TRUE(make_folders(outside()));
    ASSERT_TRUE(write_file(path() / "a" / "b" / "file", "inside"));
    ASSERT_TRUE(write_file(outside() / "file", "outside"));
  }
  fs::path path() const { return m_folder.path() / "tree"; }
  fs::path outside() const { return m_folder.path() / "outside"; }
  Folder open() const { return Folder::open(path()).value(); }
  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "folder.").value();
};

TEST_F(FolderTest, OpensWhatIsBelow) {
  const auto below = open().open_folder("a/b").value();
  EXPECT_EQ(below.shown("file"), (path() / "a/b/file").string());
  EXPECT_TRUE(below.open_file("file", O_RDONLY));
  EXPECT_EQ(below.names().value(), std::vector<std::string>{"file"});
}

TEST_F(FolderTest, FollowsNoLinkAtAnyPlace) {
  fs::create_symlink(outside(), path() / "link");
  fs::create_symlink(outside(), path() / "a" / "link");
  fs::create_symlink(outside() / "file", path() / "file");
  for (const char* name : {"link", "a/link", "a/link/deeper"}) {
    const auto opened = open().open_folder(name);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().what, "is a link") << name;
    EXPECT_EQ(opened.error().kind, ErrorKind::step_failed);
    EXPECT_FALSE(open().make_folders(std::string(name) + "/new", 0700)) << name;
  }
  const auto file = open().open_file("file", O_RDONLY);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().what, "is a link");
  EXPECT_FALSE(Folder::open_without_link(path() / "link", "shown"));
  EXPECT_FALSE(fs::exists(outside() / "new"));
}

TEST_F(FolderTest, NeverClimbsOut) {
  for (const char* name : {"..", "a/../..", ".", "a/./b", "/tmp", "a//b", ""}) {
    EXPECT_FALSE(open().open_folder(name)) << name;
    EXPECT_FALSE(open().make_folders(name, 0700)) << name;
    EXPECT_FALSE(open().open_file(name, O_RDONLY)) << name;
    EXPECT_FALSE(open().remove(name)) << name;
  }
  EXPECT_TRUE(fs::exists(outside() / "file"));
}

TEST_F(FolderTest, TellsOfTheFoldersThatItMakes) {
  std::vector<std::string> made;
  ASSERT_TRUE(open().make_folders("a/c/d", 0700, [&](const auto& folder) { made.push_back(folder); }));
  EXPECT_EQ(made, (std::vector<std::string>{"a/c", "a/c/d"}));
}

TEST_F(FolderTest, RemovesLinksAndNotWhatTheyLeadTo) {
  fs::create_symlink(outside(), path() / "a" / "link");
  ASSERT_TRUE(open().remove("a"));
  EXPECT_FALSE(fs::exists(path() / "a"));
  EXPECT_TRUE(fs::exists(outside() / "file"));
  EXPECT_TRUE(open().remove("a")) << "what is missing is fine";
}

TEST_F(FolderTest, OpensAFolderWithoutPermissionsForItsOwner) {
  ::chmod((path() / "a").c_str(), 0);
  ASSERT_TRUE(open().open_closed_folder("a"));
  struct stat status{};
  ASSERT_EQ(::stat((path() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(FolderTest, LeavesModesOutsideAlone) {
  fs::create_symlink(outside(), path() / "link");
  ::chmod(outside().c_str(), 0511);
  EXPECT_FALSE(open().open_closed_folder("link"));
  struct stat status{};
  ASSERT_EQ(::stat(outside().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0511U);
}

// Deeper than a path can say, and than a process has descriptors.
TEST_F(FolderTest, RemovesATreeOfAnyDepth) {
  constexpr int k_depth = 1500;
  const int before = ::open(".", O_PATH | O_CLOEXEC);
  ASSERT_EQ(::chdir(path().c_str()), 0);
  for (int i = 0; i < k_depth; ++i) {
    ASSERT_EQ(::mkdir("deeper", 0700), 0);
    ASSERT_EQ(::chdir("deeper"), 0);
  }
  ASSERT_EQ(::close(::open("file", O_CREAT | O_WRONLY, 0600)), 0);
  ASSERT_EQ(::fchdir(before), 0);
  ::close(before);
  // A name that removing would like to use, and that belongs to somebody.
  ASSERT_TRUE(write_file(path() / ".pachbuild-removed-0", "mine"));
  ASSERT_TRUE(open().remove("deeper"));
  EXPECT_EQ(open().names().value(), (std::vector<std::string>{".pachbuild-removed-0", "a"}));
  EXPECT_EQ(read_file(path() / ".pachbuild-removed-0").value(), "mine");
}

}  // namespace
}  // namespace base
