// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "pachbuild/local/worker/output_links.h"

namespace local {
namespace {

namespace fs = base::fs;

class OutputTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_folders(out() / "dir"));
    ASSERT_TRUE(base::make_folders(scratch() / "in" / "sub"));
    ASSERT_TRUE(base::make_folders(repo() / "sub"));
    m_task.id = "id";
    m_task.inputs = {{"in", repo().string(), "", "v"}};
  }
  fs::path scratch() const { return m_folder.path() / "scratch"; }
  fs::path out() const { return scratch() / "out"; }
  fs::path repo() const { return m_folder.path() / "repo"; }

  base::Status follow() const {
    const auto folder = base::Folder::open_without_link(out(), "/pfs/out").value();
    return follow_links(folder, scratch(), m_task);
  }
  // The paths that the tree lists, or the error.
  std::string listed() const {
    const auto files = OutputTree::open(out()).and_then([](const auto& tree) { return tree.list(); });
    if (!files) return files.error().where + ": " + files.error().what;
    std::string text;
    for (const auto& file : *files) text += file.path + " ";
    return text;
  }
  void expect_fault(const std::string& what) const {
    const auto followed = follow();
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().kind, base::ErrorKind::step_failed);
    EXPECT_EQ(followed.error().where + ": " + followed.error().what, what);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tree.").value();
  Task m_task;
};

TEST_F(OutputTreeTest, ListsFilesInOrderAndNoEmptyFolders) {
  for (const char* name : {"dir/b", "dir/a", "c", "a"}) ASSERT_TRUE(base::write_file(out() / name, "x"));
  ASSERT_TRUE(base::make_folders(out() / "empty" / "deeper"));
  EXPECT_EQ(listed(), "a c dir/a dir/b ");
}

TEST_F(OutputTreeTest, ListsFilesInFoldersWithoutPermissions) {
  ASSERT_TRUE(base::write_file(out() / "dir" / "a", "x"));
  ::chmod((out() / "dir").c_str(), 0);
  EXPECT_EQ(listed(), "dir/a ");
}

TEST_F(OutputTreeTest, RefusesNamesThatPfsCannotHold) {
  for (const char* name : {"a(1).txt", "b c.txt", "dir/é", "dir/x*"}) {
    ASSERT_TRUE(base::write_file(out() / name, "x"));
  }
  EXPECT_EQ(
      listed(),
      ": 3 invalid file names for PFS: \"/pfs/out/a(1).txt\" contains ( ), \"/pfs/out/dir/x*\" contains "
      "*, \"/pfs/out/dir/é\" contains é");
}

TEST_F(OutputTreeTest, OfManySuchNamesTheOthersAreCounted) {
  std::string text;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(base::write_file(out() / ("(" + std::to_string(i)), "x"));
    text += (i == 0 ? "\"/pfs/out/(" : ", \"/pfs/out/(") + std::to_string(i) + "\" contains (";
  }
  EXPECT_EQ(listed(), ": 5 invalid file names for PFS: " + text);
  ASSERT_TRUE(base::write_file(out() / "{1", "x"));
  EXPECT_EQ(listed(), ": 6 invalid file names for PFS: " + text + " and 1 more");
  ASSERT_TRUE(base::write_file(out() / "{2", "x"));
  EXPECT_EQ(listed(), ": 7 invalid file names for PFS: " + text + " and 2 more");
}

TEST_F(OutputTreeTest, RefusesLinksPipesAndFoldersWithoutEnd) {
  fs::create_symlink("/etc/passwd", out() / "link");
  EXPECT_EQ(listed(), "/pfs/out/link: is neither a file nor a folder");
  fs::remove(out() / "link");
  ASSERT_EQ(::mkfifo((out() / "pipe").c_str(), 0644), 0);
  EXPECT_EQ(listed(), "/pfs/out/pipe: is neither a file nor a folder");
  fs::remove(out() / "pipe");
  fs::path deep = out();
  for (int i = 0; i <= k_deepest_output; ++i) deep /= "d";
  ASSERT_TRUE(base::make_folders(deep));
  EXPECT_NE(listed().find(": more than 250 folders are nested"), std::string::npos);
}

TEST_F(OutputTreeTest, RefusesAnythingElseInItsPlace) {
  ASSERT_TRUE(base::remove_tree(out()));
  EXPECT_EQ(listed(), "/pfs/out: was removed or replaced by the program");
  fs::create_symlink(repo(), out());
  EXPECT_EQ(listed(), "/pfs/out: was removed or replaced by the program");
}

TEST_F(OutputTreeTest, VisitsEachFileInItsFolder) {
  for (const char* name : {"a", "dir/a", "dir/b"}) ASSERT_TRUE(base::write_file(out() / name, "x"));
  const auto tree = OutputTree::open(out()).value();
  std::string seen;
  ASSERT_TRUE(tree.visit(tree.list().value(),
                         [&](const auto& folder, const auto& name, const auto& file) -> base::Status {
                           seen += folder.shown(name) + "=" + file.path + " ";
                           return {};
                         }));
  EXPECT_EQ(seen, "/pfs/out/a=a /pfs/out/dir/a=dir/a /pfs/out/dir/b=dir/b ");
}

TEST_F(OutputTreeTest, FollowsLinksToFilesAndFolders) {
  ASSERT_TRUE(base::write_file(scratch() / "in" / "sub" / "f", "content"));
  fs::create_symlink(scratch() / "in", out() / "folder");
  fs::create_symlink("../../in/sub/f", out() / "dir" / "file");
  fs::create_symlink("dir/file", out() / "again");
  ASSERT_TRUE(follow());
  EXPECT_EQ(listed(), "again dir/file folder/sub/f ");
  for (const char* name : {"again", "dir/file", "folder/sub/f"}) {
    EXPECT_EQ(base::read_file(out() / name).value(), "content") << name;
    EXPECT_FALSE(fs::is_symlink(out() / name));
  }
  EXPECT_EQ(base::read_file(scratch() / "in" / "sub" / "f").value(), "content");
  const auto mode = [](const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  };
  for (const char* name : {"folder", "folder/sub"}) EXPECT_EQ(mode(out() / name), 0700U) << name;
  for (const char* name : {"again", "folder/sub/f"}) EXPECT_EQ(mode(out() / name), 0600U) << name;
}

// As Pachyderm, which copies the file inside PFS: what is staged has no content, or can be read only once.
TEST_F(OutputTreeTest, ALinkToALazyOrEmptyFileHasItsRealContent) {
  ASSERT_TRUE(base::write_file(repo() / "sub" / "f", "real"));
  for (const bool lazy : {true, false}) {
    m_task.inputs[0].lazy = lazy;
    m_task.inputs[0].empty_files = !lazy;
    const auto staged = scratch() / "in" / "sub" / "f";
    fs::remove(staged);
    if (lazy) {
      ASSERT_EQ(::mkfifo(staged.c_str(), 0644), 0);
    } else {
      ASSERT_TRUE(base::write_file(staged, ""));
    }
    ASSERT_TRUE(base::remove_tree(out() / "file"));
    ASSERT_TRUE(base::remove_tree(out() / "folder"));
    fs::create_symlink(staged, out() / "file");
    fs::create_symlink(scratch() / "in", out() / "folder");
    ASSERT_TRUE(follow());
    EXPECT_EQ(base::read_file(out() / "file").value(), "real");
    EXPECT_EQ(base::read_file(out() / "folder" / "sub" / "f").value(), "real");
  }
}

TEST_F(OutputTreeTest, ALinkThatCannotBeFollowedFailsTheDatum) {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"nowhere", "is a broken link"},
      {"link", "is a link that leads to itself"},
      {"/dev/zero", "links to /dev/zero, which is neither a file nor a folder"},
      {"/", "links to /, a folder that contains the link"},
      {"/proc", "links to /proc, whose files the kernel generates"},
      {"/proc/self/status",
       "links to /proc/" + std::to_string(::getpid()) + "/status, a file that the kernel generates"},
      {"/sys", "links to /sys, whose files the kernel generates"},
      {"..", "links to " + out().string() + ", a folder that contains the link"},
      {"../..", "links to " + scratch().string() + ", a folder that contains the link"},
  };
  for (const auto& [target, what] : faults) {
    fs::remove(out() / "dir" / "link");
    fs::create_symlink(target, out() / "dir" / "link");
    SCOPED_TRACE(target);
    expect_fault("/pfs/out/dir/link: " + what);
  }
}

TEST_F(OutputTreeTest, OnlyStagedFilesOfTheirOwnPartStandForOthers) {
  for (const auto* name : {"sub/f", "subs", "other"}) ASSERT_TRUE(base::write_file(repo() / name, "real"));
  for (const auto* name : {"in/sub/f", "in/subs", "in2"}) {
    ASSERT_TRUE(base::make_folders((scratch() / name).parent_path()));
    ASSERT_TRUE(base::write_file(scratch() / name, "staged"));
  }
  const auto content = [&](const std::string& target, bool is_empty, const std::string& part) {
    m_task.inputs[0].empty_files = is_empty;
    m_task.inputs[0].path = part;
    EXPECT_TRUE(base::remove_tree(out() / "link"));
    fs::create_symlink(scratch() / target, out() / "link");
    const auto followed = follow();
    return followed ? base::read_file(out() / "link").value() : followed.error().what;
  };
  EXPECT_EQ(content("in/sub/f", false, ""), "staged");
  EXPECT_EQ(content("in/sub/f", true, ""), "real");
  EXPECT_EQ(content("in/sub/f", true, "sub"), "real");
  EXPECT_EQ(content("in/sub/f", true, "sub/f"), "real");
  EXPECT_EQ(content("in/subs", true, "sub"), "staged") << "of another part";
  EXPECT_EQ(content("in2", true, ""), "staged") << "of another input";
  fs::remove(repo() / "sub/f");
  EXPECT_EQ(content("in/sub/f", true, ""), "links to an input file that no longer exists");
}

TEST_F(OutputTreeTest, AFolderWithoutFilesGoesAndClosedOnesAreFollowed) {
  ASSERT_TRUE(base::make_folders(scratch() / "in" / "empty"));
  fs::create_symlink(scratch() / "in" / "empty", out() / "link");
  ASSERT_TRUE(base::write_file(scratch() / "in" / "f", "x"));
  fs::create_symlink(scratch() / "in" / "f", out() / "dir" / "file");
  ASSERT_EQ(::chmod((out() / "dir").c_str(), 0), 0);
  ASSERT_TRUE(follow());
  EXPECT_FALSE(fs::is_symlink(out() / "link"));
  EXPECT_EQ(listed(), "dir/file ");
}

TEST_F(OutputTreeTest, AFolderThatLinksBackFailsTheDatum) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "loop" / "inner"));
  fs::create_symlink("..", m_folder.path() / "loop" / "inner" / "back");
  fs::create_symlink(m_folder.path() / "loop", out() / "link");
  expect_fault("/pfs/out/link: links to " + (m_folder.path() / "loop").string() +
               ", a folder that contains the link");
}

TEST_F(OutputTreeTest, ANameThatTheCopyWouldUseIsNotTakenForIt) {
  ASSERT_TRUE(base::write_file(out() / "*pachbuild-copy", "the program's"));
  fs::create_symlink("/etc/hostname", out() / "link");
  expect_fault(": invalid file name for PFS: \"/pfs/out/*pachbuild-copy\" contains *");
}

}  // namespace
}  // namespace local
