// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"

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

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  // FIPS 180-2, appendix B.3.
  const auto folder = TemporaryFolder::make(testing::TempDir(), "digest.").value();
  ASSERT_TRUE(write_file(folder.path() / "f", std::string(1'000'000, 'a')));
  EXPECT_EQ(sha256_of_file((folder.path() / "f").string()).value_or(""),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const auto missing = sha256_of_file((folder.path() / "none").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().where, (folder.path() / "none").string());
  EXPECT_EQ(missing.error().what, "cannot read: no such file or folder");
}

TEST(Sha256, AFieldHasItsLengthInFront) {
  Sha256 digest;
  digest.update_field("ab");
  digest.update_field("");
  EXPECT_EQ(digest.finish(), sha256("2:ab0:"));
}

TEST(Sha256, ADigestIsSixtyFourSmallHexadecimalDigits) {
  for (const char digit : std::string("0123456789abcdef")) EXPECT_TRUE(is_digest(std::string(64, digit)));
  for (const char other : std::string("/:`gAFG ")) {
    EXPECT_FALSE(is_digest(std::string(64, other)));
    EXPECT_FALSE(is_digest(std::string(63, '0') + other));
    EXPECT_FALSE(is_digest(other + std::string(63, '0')));
  }
  EXPECT_FALSE(is_digest(std::string(63, '0')));
  EXPECT_FALSE(is_digest(std::string(65, '0')));
  EXPECT_FALSE(is_digest(std::string(128, '0')));
  EXPECT_FALSE(is_digest(""));
}

struct stat status_at(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

// What a call that fails with `number` makes of `work`.
template <class Work>
auto with_failing(std::string_view call, int number, const Work& work) {
  const steps::Watch watch([&](std::string_view now, std::string_view) { return now == call ? number : 0; },
                           steps::Calls::all);
  return work();
}

TEST_F(Files, AFileOfUnknownSizeIsReadToItsEnd) {
  std::string content;
  for (int i = 0; i < 4000; ++i) content += std::to_string(i) + "\n";
  for (const std::size_t size : {std::size_t{0}, std::size_t{4095}, std::size_t{4096}, std::size_t{4097},
                                 std::size_t{8193}, content.size()}) {
    int ends[2] = {};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    ASSERT_TRUE(write_all(ends[1], content.substr(0, size), "pipe"));
    ::close(ends[1]);
    EXPECT_EQ(read_file("/proc/self/fd/" + std::to_string(ends[0])).value_or("none"),
              content.substr(0, size));
  }
}

TEST_F(Files, OnlyRegularFilesAreInputs) {
  // A pipe with a writer could be read, and a socket cannot even be opened.
  const UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder() / "s").string();
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto read = read_input_file(name);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what, "is not a regular file");
  EXPECT_EQ(read.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(read.error().where, name);
  for (const int number : {ENXIO, ENODEV}) {
    const auto device = with_failing("open", number, [&] { return read_input_file(folder() / "d"); });
    EXPECT_EQ(device.error().what, "is not a regular file") << number;
  }
  const auto missing = read_input_file(folder() / "none");
  EXPECT_EQ(missing.error().what, "cannot read: no such file or folder");
  EXPECT_EQ(read_file(folder() / "none").error().what, "cannot read: no such file or folder");
}

TEST_F(Files, AFileThatGrowsIsBoundedToo) {
  // The kernel says that it has 0 bytes.
  const auto whole = read_file("/proc/self/cmdline").value();
  EXPECT_EQ(read_input_file("/proc/self/cmdline", whole.size()).value_or(""), whole);
  const auto longer = read_input_file("/proc/self/cmdline", whole.size() - 1);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(longer.error().where, "/proc/self/cmdline");
  EXPECT_EQ(longer.error().what, "is too large: the limit is " + format_bytes(whole.size() - 1));
}

TEST_F(Files, ACopySaysHowMuchRoomItWouldHaveNeeded) {
  const fs::path from = folder() / "from";
  const auto copy = [&] { return copy_regular_file(from, folder() / "to", 0644); };
  ASSERT_TRUE(write_file(from, "12345"));
  for (const int number : {ENOSPC, EDQUOT}) {
    const auto full = with_failing("copy", number, copy);
    ASSERT_FALSE(full);
    EXPECT_TRUE(full.error().what.ends_with(" inodes free), 5 B needed")) << full.error().what;
    EXPECT_EQ(full.error().where, (folder() / "to").string());
    EXPECT_FALSE(fs::exists(folder() / "to"));
  }
  const auto broken = with_failing("copy", EIO, copy);
  EXPECT_EQ(broken.error().what, "cannot write: Input/output error");
  // Where the kernel does not copy, the bytes are read and written.
  EXPECT_TRUE(with_failing("copy", EINVAL, copy));
  EXPECT_EQ(read_file(folder() / "to").value_or(""), "12345");
  ASSERT_TRUE(remove_tree(folder() / "to"));
  ASSERT_TRUE(write_file(from, ""));
  const auto empty = with_failing("copy", ENOSPC, copy);
  ASSERT_FALSE(empty);
  EXPECT_TRUE(empty.error().what.ends_with(" inodes free)")) << empty.error().what;
}

TEST_F(Files, ACopyByBytesSaysHowMuchRoomItWouldHaveNeeded) {
  ASSERT_TRUE(write_file(folder() / "from", "12345"));
  const steps::Watch watch(
      [](std::string_view call, std::string_view) {
        return call == "copy" ? EINVAL : call == "write" ? ENOSPC : 0;
      },
      steps::Calls::all);
  const auto full = copy_regular_file(folder() / "from", folder() / "to", 0644);
  ASSERT_FALSE(full);
  EXPECT_TRUE(full.error().what.ends_with(", 5 B needed")) << full.error().what;
}

TEST_F(Files, ASecondNameIsALinkWhereItCanBe) {
  const fs::path from = folder() / "from";
  ASSERT_TRUE(write_file(from, "text", 0600));
  ASSERT_TRUE(link_or_copy_file(from, folder() / "link", 0644));
  EXPECT_EQ(status_at(folder() / "link").st_ino, status_at(from).st_ino);
  const auto taken = link_or_copy_file(from, folder() / "link", 0644);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().where, (folder() / "link").string());
  EXPECT_EQ(taken.error().what, "cannot create: File exists");
  EXPECT_EQ(taken.error().kind, ErrorKind::cannot_write);
  for (const int number : {EXDEV, EMLINK, EPERM}) {
    const fs::path copy = folder() / std::to_string(number);
    ASSERT_TRUE(with_failing("link", number, [&] { return link_or_copy_file(from, copy, 0640); })) << number;
    EXPECT_NE(status_at(copy).st_ino, status_at(from).st_ino);
    EXPECT_EQ(status_at(copy).st_mode & 07777U, 0640U);
    EXPECT_EQ(read_file(copy).value_or(""), "text");
  }
}

TEST_F(Files, FoldersAreMadeWithAllAboveThem) {
  EXPECT_TRUE(make_folders(""));
  ASSERT_TRUE(make_folders(folder() / "a/b/c", 0700));
  for (const std::string name : {"a", "a/b", "a/b/c"})
    EXPECT_EQ(status_at(folder() / name).st_mode, S_IFDIR | 0700U) << name;
  EXPECT_TRUE(make_folders(folder() / "a/b/c")) << "it is there already";
  EXPECT_TRUE(make_folders(folder() / "a/b/c/")) << "a slash at the end";
  ASSERT_TRUE(write_file(folder() / "file", ""));
  for (const std::string name : {"file", "file/a", "file/a/b"}) {
    const auto made = make_folders(folder() / name);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind, ErrorKind::cannot_write);
    EXPECT_EQ(made.error().what,
              name == "file" ? "is not a folder" : "cannot create: a part of the path is not a folder");
  }
  EXPECT_EQ(make_folders(folder() / "file").error().where, (folder() / "file").string());
  EXPECT_EQ(with_failing("mkdir", EROFS, [&] { return make_folders(folder() / "x"); }).error().what,
            "cannot create: the file system is read-only");
}

TEST_F(Files, ATemporaryFolderIsItsOwnersAlone) {
  auto one = TemporaryFolder::make(folder(), "t.").value();
  EXPECT_EQ(one.path().parent_path(), folder());
  EXPECT_TRUE(one.path().filename().string().starts_with("t."));
  EXPECT_EQ(one.path().filename().size(), 8U);
  EXPECT_EQ(status_at(one.path()).st_mode & 07777U, 0700U);
  const fs::path path = one.path();
  {
    TemporaryFolder other = std::move(one);
    EXPECT_EQ(other.path(), path);
    EXPECT_EQ(other.release(), path);
    EXPECT_EQ(other.path(), "");
  }
  EXPECT_TRUE(fs::exists(path)) << "it was released";
  fs::path second;
  {
    auto first = TemporaryFolder::make(folder(), "t.").value();
    auto next = TemporaryFolder::make(folder(), "t.").value();
    second = next.path();
    first = std::move(next);
    EXPECT_EQ(first.path(), second);
  }
  EXPECT_FALSE(fs::exists(second));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 1);
  const auto none = TemporaryFolder::make(folder() / "none", "t.");
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().where.starts_with((folder() / "none" / "t.").string())) << none.error().where;
  EXPECT_EQ(none.error().kind, ErrorKind::cannot_write);
}

TEST_F(Files, LocksOfSeveralReaders) {
  using Mode = FileLock::Mode;
  const auto tries = [&](Mode mode) { return FileLock::try_acquire(folder() / "lock", mode).value().held(); };
  {
    const auto one = FileLock::acquire(folder() / "lock", Mode::shared).value();
    EXPECT_TRUE(tries(Mode::shared));
    EXPECT_FALSE(tries(Mode::exclusive));
    EXPECT_TRUE(FileLock::acquire(folder() / "lock", Mode::shared)) << "without waiting";
  }
  {
    const auto one = FileLock::try_acquire(folder() / "lock", Mode::shared).value();
    EXPECT_TRUE(tries(Mode::shared));
    EXPECT_FALSE(tries(Mode::exclusive));
  }
  EXPECT_TRUE(tries(Mode::exclusive)) << "they are gone";
  EXPECT_EQ(status_at(folder() / "lock").st_mode, S_IFREG | 0600U);
}

TEST_F(Files, ALockIsNotTakenThroughALink) {
  ASSERT_TRUE(write_file(folder() / "file", ""));
  fs::create_symlink(folder() / "file", folder() / "lock");
  for (const auto& lock : {FileLock::acquire(folder() / "lock").map([](const auto&) {}),
                           FileLock::try_acquire(folder() / "lock").map([](const auto&) {})}) {
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().what, "cannot create: too many symbolic links");
  }
  const auto failing = with_failing("flock", ENOLCK, [&] { return FileLock::acquire(folder() / "own"); });
  ASSERT_FALSE(failing);
  EXPECT_TRUE(failing.error().what.starts_with("cannot lock: ")) << failing.error().what;
}

TEST_F(Files, AFolderItselfCanBeLocked) {
  const UniqueFd other(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  {
    const auto lock = FileLock::acquire_folder(folder()).value();
    EXPECT_TRUE(lock.held());
    EXPECT_NE(::flock(other.get(), LOCK_SH | LOCK_NB), 0) << "for all others";
  }
  EXPECT_EQ(::flock(other.get(), LOCK_SH | LOCK_NB), 0);
  EXPECT_TRUE(fs::is_empty(folder()));
  const auto none = FileLock::acquire_folder(folder() / "none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "cannot read: no such file or folder");
  EXPECT_EQ(none.error().kind, ErrorKind::io);
}

TEST_F(Files, PathsFromTheRootOn) {
  const fs::path here = fs::current_path();
  const std::vector<std::pair<fs::path, fs::path>> rows = {
      {"/a", "/a"},   {"/a/", "/a"},        {"/a//b/./c", "/a/b/c"}, {"/a/b/..", "/a"},  {"/a/b/../", "/a"},
      {"/a/.", "/a"}, {"/", "/"},           {"a", here / "a"},       {".", here},        {"./a/", here / "a"},
      {"a/..", here}, {"/a/..x", "/a/..x"}, {"/a/.x", "/a/.x"},      {"/a/x.", "/a/x."}, {"/a/x.y", "/a/x.y"},
  };
  for (const auto& [path, normal] : rows) EXPECT_EQ(normal_path(path), normal) << path;
  const fs::path real = fs::canonical(folder());
  ASSERT_TRUE(make_folders(real / "d"));
  fs::create_symlink("d", real / "link");
  fs::create_symlink("circle", real / "circle");
  EXPECT_EQ(normal_path(real / "link/x/"), real / "link/x");
  EXPECT_EQ(resolved_path(real / "link/x/"), real / "d/x") << "as far as it exists";
  EXPECT_EQ(resolved_path(real / "link/.."), real);
  EXPECT_EQ(resolved_path(real / "circle/x/"), real / "circle/x") << "which leads nowhere";
}

TEST_F(Files, ARenameSaysWhere) {
  ASSERT_TRUE(write_file(folder() / "a", "text"));
  ASSERT_TRUE(rename_path(folder() / "a", folder() / "b"));
  EXPECT_EQ(read_file(folder() / "b").value_or(""), "text");
  const auto missing = rename_path(folder() / "a", folder() / "c");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().where, (folder() / "c").string());
  EXPECT_EQ(missing.error().what, "cannot rename: no such file or folder");
}

TEST_F(Files, TheProgramKnowsItsFolder) {
  EXPECT_EQ(own_folder().value_or(""), fs::canonical("/proc/self/exe").parent_path());
}

}  // namespace
}  // namespace base
