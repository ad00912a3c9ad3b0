// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/digest.h"

namespace base {
namespace {

class Files : public testing::Test {
 protected:
  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "files.").value();
  const fs::path& folder() const { return m_folder.path(); }
};

TEST_F(Files, WriteThenReadGivesTheSameBytes) {
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(write_file(folder() / "f", content, 0600));
  EXPECT_EQ(read_file(folder() / "f").value(), content);
  EXPECT_EQ(sha256_of_file((folder() / "f").string()).value(), sha256(content));
  struct stat status{};
  ASSERT_EQ(::stat((folder() / "f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Files, AFailedWriteLeavesNothing) {
  ASSERT_TRUE(make_folders(folder() / "d" / "child"));
  const auto status = write_file(folder() / "d", "text");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::cannot_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 1);
}

TEST_F(Files, InputFilesAreRegularAndOfABoundedSize) {
  ASSERT_TRUE(write_file(folder() / "f", "12345"));
  EXPECT_EQ(read_input_file(folder() / "f", 5).value_or(""), "12345");
  EXPECT_EQ(read_input_file(folder() / "f", 4).error().what, "is too large: the limit is 4 B");
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  for (const fs::path& path : {folder() / "pipe", fs::path("/dev/zero"), fs::path("/dev/null")}) {
    const auto content = read_input_file(path);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(content.error().what, "is not a regular file");
  }
  // Its size is said to be 0.
  EXPECT_FALSE(read_input_file("/proc/self/status").value_or("").empty());
  EXPECT_FALSE(read_input_file("/proc/self/status", 10));
  EXPECT_EQ(read_input_file(folder()).error().what, "cannot read: is a folder");
  EXPECT_EQ(read_input_file(folder() / "nothing").error().kind, ErrorKind::io);
}

TEST_F(Files, ReadingAFolderIsAnErrorThatSaysSo) {
  const auto content = read_file(folder());
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().what, "cannot read: is a folder");
}

TEST_F(Files, CopyHasTheBytesAndTheGivenMode) {
  const std::string content(300'000, 'x');
  ASSERT_TRUE(write_file(folder() / "from", content, 0755));
  ASSERT_TRUE(copy_regular_file(folder() / "from", folder() / "to", 0644));
  EXPECT_EQ(read_file(folder() / "to").value(), content);
  struct stat status{};
  ASSERT_EQ(::stat((folder() / "to").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(Files, CopyDoesNotReplace) {
  ASSERT_TRUE(write_file(folder() / "from", "new"));
  ASSERT_TRUE(write_file(folder() / "to", "old"));
  EXPECT_FALSE(copy_regular_file(folder() / "from", folder() / "to", 0644));
  EXPECT_EQ(read_file(folder() / "to").value(), "old");
}

TEST_F(Files, CopyOfAFileThatHidesItsSizeHasItsContent) {
  ASSERT_TRUE(copy_regular_file("/proc/self/status", folder() / "status", 0644));
  EXPECT_NE(read_file(folder() / "status").value().find("Name:"), std::string::npos);
}

TEST_F(Files, RemoveTreeTakesFoldersWithoutPermission) {
  ASSERT_TRUE(make_folders(folder() / "d" / "e"));
  ASSERT_TRUE(write_file(folder() / "d" / "e" / "f", "text"));
  ASSERT_EQ(::chmod((folder() / "d" / "e").c_str(), 0), 0);
  ASSERT_EQ(::chmod((folder() / "d").c_str(), 0500), 0);
  ASSERT_TRUE(remove_tree(folder() / "d"));
  EXPECT_FALSE(fs::exists(folder() / "d"));
  EXPECT_TRUE(remove_tree(folder() / "d")) << "nothing there is fine";
}

TEST_F(Files, ATemporaryFolderGoesWithItsOwner) {
  fs::path path;
  {
    auto temporary = TemporaryFolder::make(folder(), "t.").value();
    path = temporary.path();
    ASSERT_TRUE(write_file(path / "f", "text"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Files, ALockExcludesASecondOne) {
  const auto lock = FileLock::acquire(folder() / "lock").value();
  EXPECT_TRUE(lock.held());
  EXPECT_FALSE(FileLock::try_acquire(folder() / "lock").value().held());
  EXPECT_FALSE(FileLock::try_acquire(folder() / "lock", FileLock::Mode::shared).value().held());
}

TEST(Sha256, MatchesThePublishedVectors) {
  // FIPS 180-2, appendix B.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, FieldsDoNotRunIntoEachOther) {
  Sha256 first;
  first.update_field("ab");
  first.update_field("c");
  Sha256 second;
  second.update_field("a");
  second.update_field("bc");
  EXPECT_NE(first.finish(), second.finish());
}

}  // namespace
}  // namespace base
