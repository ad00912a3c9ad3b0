// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "../nobody.h"
#include "base/errors.h"

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

std::string shown_error(const Error& error) {
  return std::to_string(static_cast<int>(error.kind)) + " " + error.where + ": " + error.what;
}
const std::string k_step_failed = std::to_string(static_cast<int>(ErrorKind::step_failed));

TEST(EntryError, NamesWhatAProgramPutThere) {
  EXPECT_EQ(shown_error(entry_error("read", "a", ELOOP)), k_step_failed + " a: is a link");
  EXPECT_EQ(shown_error(entry_error("read", "a", ENOTDIR)), k_step_failed + " a: is not a folder");
  EXPECT_EQ(shown_error(entry_error("create", "a", EACCES)),
            shown_error(system_error("create", "a", EACCES)));
}

TEST_F(FolderTest, EachErrorNamesThePart) {
  const std::string root = path().string();
  ASSERT_TRUE(write_file(path() / "a" / "file", ""));
  fs::create_symlink("b", path() / "a" / "link");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"a/..", root + "/a/..: the path leaves its folder"},
      {"a/file/b", root + "/a/file: is not a folder"},
      {"a/link/b", root + "/a/link: is a link"},
  };
  for (const auto& [name, text] : rows) {
    EXPECT_EQ(shown_error(open().open_folder(name).error()), k_step_failed + " " + text);
    const auto made = open().make_folders(name, 0700);
    EXPECT_EQ(shown_error(made.error()), k_step_failed + " " + text);
  }
  const auto missing = open().open_folder("a/none/b").error();
  EXPECT_EQ(missing.where, root + "/a/none");
  EXPECT_EQ(missing.what, "cannot read: no such file or folder");
  for (const std::string name : {"..", ".", "", "a/b", "/"}) {
    const std::string text = k_step_failed + " " + root + "/" + name + ": the path leaves its folder";
    EXPECT_EQ(shown_error(open().open_file(name, O_RDONLY).error()), text);
    EXPECT_EQ(shown_error(open().remove(name).error()), text);
  }
  EXPECT_EQ(open().open_file("none", O_RDONLY).error().what, "cannot read: no such file or folder");
  const auto existing = open().open_folder("a").value().open_file("file", O_CREAT | O_EXCL | O_WRONLY, 0600);
  ASSERT_FALSE(existing);
  EXPECT_EQ(existing.error().what, "cannot create: File exists");
  EXPECT_EQ(Folder::open(path() / "none").error().what, "cannot read: no such file or folder");
  EXPECT_EQ(Folder::open(path() / "none").error().where, root + "/none");
  const auto behind = Folder::open_without_link(path() / "a" / "link", "shown").error();
  EXPECT_EQ(shown_error(behind), k_step_failed + " shown: is a link");
  EXPECT_EQ(Folder::open_without_link(path() / "a" / "b", "shown").value().shown("x"), "shown/x");
}

TEST_F(FolderTest, KnowsWhatIsThere) {
  fs::create_symlink("nowhere", path() / "link");
  EXPECT_EQ(open().names().value(), (std::vector<std::string>{"a", "link"}));
  EXPECT_TRUE(S_ISLNK(open().status("link").value()->st_mode)) << "the link itself";
  EXPECT_TRUE(S_ISDIR(open().status("a").value()->st_mode));
  EXPECT_EQ(open().status("none").value(), std::nullopt);
  const auto longest = open().status(std::string(256, 'x'));
  ASSERT_FALSE(longest);
  EXPECT_EQ(longest.error().what, "cannot read: the name is too long");
}

TEST_F(FolderTest, MakesFoldersWithAModeAndFindsThemAgain) {
  const mode_t before = ::umask(0);
  const auto made = open().make_folders("a/c/d", 0750);
  ::umask(before);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->shown("x"), (path() / "a/c/d/x").string());
  EXPECT_EQ(open().open_folder("a").value().status("c").value()->st_mode, S_IFDIR | 0750U);
  std::vector<std::string> told;
  const auto again = open().make_folders("a/c/d/e", 0700, [&](const auto& name) { told.push_back(name); });
  ASSERT_TRUE(again);
  EXPECT_EQ(told, std::vector<std::string>{"a/c/d/e"}) << "the others were there";
  ASSERT_TRUE(again->open_file("f", O_WRONLY | O_CREAT, 0640));
  EXPECT_EQ(read_file(path() / "a/c/d/e/f").value_or("none"), "");
  EXPECT_EQ(open().make_folders(std::string(256, 'x'), 0700).error().what,
            "cannot create: the name is too long");
}

// As another user than root, who may look into every folder.
TEST_F(FolderTest, RemovesFoldersThatTheirOwnerClosed) {
  ::chmod(m_folder.path().c_str(), 0777);
  std::optional<Folder> folder;
  {
    const Nobody nobody;
    const fs::path own = m_folder.path() / "own";
    ASSERT_TRUE(make_folders(own / "a" / "b" / "c" / "d"));
    for (const std::string name : {"a/b/c", "a/b", "a"}) ::chmod((own / name).c_str(), 0);
    folder.emplace(Folder::open(own).value());
    EXPECT_FALSE(folder->open_folder("a"));
    EXPECT_TRUE(folder->open_closed_folder("a"));
    EXPECT_TRUE(folder->remove("a"));
    EXPECT_EQ(folder->names().value(), std::vector<std::string>{});
  }
}

// The remover moves what is deep up; from 100 folders on.
TEST_F(FolderTest, RemovesTreesAroundTheDepthFromWhichItMoves) {
  for (const int depth : {99, 100, 101, 202}) {
    fs::path deepest = path() / "deep";
    for (int i = 0; i < depth; ++i) deepest /= "d";
    ASSERT_TRUE(make_folders(deepest / "one"));
    ASSERT_TRUE(make_folders(deepest / "other"));
    ASSERT_TRUE(write_file(deepest / "file", ""));
    ::chmod(deepest.c_str(), 0500);
    ASSERT_TRUE(open().remove("deep")) << depth;
    EXPECT_EQ(open().names().value(), std::vector<std::string>{"a"}) << depth;
  }
}

TEST(RemoveTree, TakesAPathOfAnyForm) {
  const auto folder = TemporaryFolder::make(testing::TempDir(), "remove.").value();
  ASSERT_TRUE(make_folders(folder.path() / "real" / "a"));
  fs::create_symlink("real", folder.path() / "link");
  EXPECT_TRUE(remove_tree(folder.path() / "none" / "a")) << "not even the folder above";
  EXPECT_TRUE(remove_tree(folder.path() / "link" / "a")) << "links above are followed";
  EXPECT_FALSE(fs::exists(folder.path() / "real" / "a"));
  EXPECT_TRUE(remove_tree(folder.path() / "link")) << "the link itself";
  EXPECT_TRUE(fs::exists(folder.path() / "real"));
  ASSERT_TRUE(write_file(folder.path() / "file", ""));
  const auto below = remove_tree(folder.path() / "file" / "a");
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().where, (folder.path() / "file" / "a").string());
  EXPECT_EQ(below.error().what, "cannot remove: a part of the path is not a folder");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_TRUE(remove_tree("file"));
  fs::current_path(before);
  EXPECT_FALSE(fs::exists(folder.path() / "file"));
}

}  // namespace
}  // namespace base
