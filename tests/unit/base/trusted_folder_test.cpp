// SPDX-License-Identifier: Apache-2.0
#include "base/trusted_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/files.h"

namespace base {
namespace {

constexpr uid_t k_stranger = 54321;
// A person with a private group. Root's folders are as good as that person's.
constexpr uid_t k_person = 54322;

class TrustedFolder : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  void make(const std::string& name, mode_t mode) const {
    fs::create_directories(path(name));
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  }

  void give(const std::string& name, uid_t owner, gid_t group) const {
    ASSERT_EQ(::lchown(path(name).c_str(), owner, group), 0);
  }

  // "trusted", "missing" or the error's line.
  static std::string text_of(const Result<UniqueFd>& result) {
    if (!result) return result.error().where + ": " + result.error().what;
    return *result ? "trusted" : "missing";
  }

  [[nodiscard]] std::string open(const std::string& name, Sticky last = Sticky::refused) const {
    return text_of(open_trusted_folder(path(name), m_user, last));
  }

  [[nodiscard]] std::string distrust(const std::string& name, const std::string& reason) const {
    return path(name) + ": cannot be trusted: " + reason;
  }

  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "trusted.").value();
  uid_t m_user = ::geteuid();
};

// Tests in which folders change their owner.
class TrustedFolderOfOthers : public TrustedFolder {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give folders away";
    // Root's own folders are trusted by every user; others cannot look into a folder of mode 0700.
    ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  }
};

TEST_F(TrustedFolder, OfThisUserAlone) {
  EXPECT_EQ(open("a"), "missing");
  EXPECT_EQ(open("a/b/c"), "missing");
  make("a/b/c", 0755);
  EXPECT_EQ(open("a/b/c"), "trusted");
  make("a/b/c", 0700);
  EXPECT_EQ(open("a/./b//c/"), "trusted");
  EXPECT_EQ(open("a/b/../b/c"), "trusted");
}

TEST_F(TrustedFolder, TheDescriptorIsTheFolders) {
  make("a", 0755);
  const auto folder = open_trusted_folder(path("a"), m_user);
  ASSERT_TRUE(folder);
  struct stat named{};
  struct stat opened{};
  ASSERT_EQ(::stat(path("a").c_str(), &named), 0);
  ASSERT_EQ(::fstat(folder->get(), &opened), 0);
  EXPECT_EQ(named.st_ino, opened.st_ino);
  EXPECT_NE(::fcntl(folder->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(TrustedFolder, RelativePathsAreRefused) {
  EXPECT_EQ(text_of(open_trusted_folder("a", m_user)), "a: is not an absolute path");
  EXPECT_EQ(text_of(open_trusted_folder("", m_user)), ": is not an absolute path");
}

TEST_F(TrustedFolder, OthersCanWriteToNoPart) {
  make("a/b/c", 0755);
  for (const mode_t mode : {0777U, 0757U, 0773U}) {
    for (const std::string name : {"a", "a/b", "a/b/c"}) {
      make(name, mode);
      EXPECT_EQ(open("a/b/c"), distrust(name, "other users can write to it"));
      make(name, 0755);
    }
  }
  make("a", 0777);
  EXPECT_EQ(open("a/missing"), distrust("a", "other users can write to it"))
      << "what somebody else could make there is not made by us";
}

TEST_F(TrustedFolder, TheStickyBitHelpsAboveAndWhereItIsAccepted) {
  make("a/b", 0755);
  make("a", 01777);
  EXPECT_EQ(open("a/b"), "trusted");
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it"));
  EXPECT_EQ(open("a", Sticky::accepted), "trusted");
  make("a", 0777);
  EXPECT_EQ(open("a", Sticky::accepted), distrust("a", "other users can write to it"));
}

TEST_F(TrustedFolder, AFileIsNone) {
  ASSERT_TRUE(write_file(path("file"), ""));
  EXPECT_EQ(open("file"), path("file") + ": is not a folder");
  EXPECT_EQ(open("file/a"), path("file") + ": is not a folder");
}

TEST_F(TrustedFolder, LinksAreHeldToTheRuleToo) {
  make("a/b", 0755);
  make("open/b", 0755);
  fs::create_symlink(path("a"), path("absolute"));
  fs::create_symlink("a/../a", path("relative"));
  EXPECT_EQ(open("absolute/b"), "trusted");
  EXPECT_EQ(open("relative/b"), "trusted");
  EXPECT_EQ(open("relative"), "trusted");
  make("open", 0777);
  fs::create_symlink(path("open"), path("bad"));
  EXPECT_EQ(open("bad/b"), distrust("open", "other users can write to it"));
  fs::create_symlink(path("nothing"), path("dangling"));
  EXPECT_EQ(open("dangling"), "missing");
  fs::create_symlink(path("circle"), path("circle"));
  EXPECT_EQ(open("circle"), path("circle") + ": cannot read: too many symbolic links");
}

TEST_F(TrustedFolder, AnEntryIsNoLink) {
  make("a/b", 0755);
  fs::create_symlink(path("a/b"), path("a/link"));
  const auto folder = open_trusted_folder(path("a"), m_user);
  ASSERT_TRUE(folder);
  const auto entry = [&](const std::string& name) {
    return text_of(open_trusted_entry(folder->get(), name, path("a/" + name), m_user));
  };
  EXPECT_EQ(entry("b"), "trusted");
  EXPECT_EQ(entry("c"), "missing");
  EXPECT_EQ(entry("link"), distrust("a/link", "is a symbolic link"));
  make("a/b", 01777);
  EXPECT_EQ(entry("b"), distrust("a/b", "other users can write to it"));
}

TEST_F(TrustedFolder, IsMadeWithAllAboveIt) {
  EXPECT_EQ(text_of(make_trusted_folder(path("a/b/c"), m_user)), "trusted");
  EXPECT_EQ(open("a/b/c"), "trusted");
  EXPECT_EQ(text_of(make_trusted_folder(path("a/b/c"), m_user)), "trusted");
  make("a/b", 0777);
  EXPECT_EQ(text_of(make_trusted_folder(path("a/b/d"), m_user)),
            distrust("a/b", "other users can write to it"));
  EXPECT_FALSE(fs::exists(path("a/b/d")));
  make("a/b", 01777);
  EXPECT_EQ(text_of(make_trusted_folder(path("a/b/d/e"), m_user)), "trusted");
  ASSERT_TRUE(write_file(path("file"), ""));
  EXPECT_EQ(text_of(make_trusted_folder(path("file/a"), m_user)), path("file") + ": is not a folder");
}

TEST_F(TrustedFolderOfOthers, NoPartBelongsToAStranger) {
  make("a/b/c", 0755);
  for (const std::string name : {"a", "a/b", "a/b/c"}) {
    give(name, k_stranger, k_stranger);
    EXPECT_EQ(open("a/b/c"), distrust(name, "belongs to another user (uid 54321)"));
    give(name, 0, 0);
  }
  make("a", 01777);
  give("a/b", k_stranger, k_stranger);
  EXPECT_EQ(open("a/b/c"), distrust("a/b", "belongs to another user (uid 54321)"))
      << "in a folder as /tmp, a stranger's can be there first";
}

TEST_F(TrustedFolderOfOthers, RootsFoldersAreTrustedByAll) {
  make("a/b", 0755);
  m_user = k_person;
  EXPECT_EQ(open("a/b"), "trusted");
  give("a/b", k_person, k_person);
  EXPECT_EQ(open("a/b"), "trusted");
}

TEST_F(TrustedFolderOfOthers, LinksOfStrangersAreNotFollowed) {
  make("a/b", 0755);
  make("sticky", 01777);
  fs::create_symlink(path("a"), path("sticky/link"));
  EXPECT_EQ(open("sticky/link/b"), "trusted");
  give("sticky/link", k_stranger, k_stranger);
  EXPECT_EQ(open("sticky/link/b"),
            distrust("sticky/link", "is a symbolic link that belongs to another user (uid 54321)"));
}

TEST_F(TrustedFolderOfOthers, OnlyThePrivateGroupOfAPersonMayWrite) {
  make("a", 0775);
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it")) << "group 0 is that of all on OpenShift";
  m_user = 100;
  give("a", 100, 100);
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it")) << "group 100 is 'users'";
  m_user = k_person;
  give("a", k_person, k_person);
  EXPECT_EQ(open("a"), "trusted");
  give("a", k_person, k_stranger);
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it"));
  give("a", 0, k_person);
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it")) << "root did not mean that person alone";
}

TEST_F(TrustedFolderOfOthers, AnAccessControlListLetsOthersWrite) {
  make("a", 0775);
  give("a", k_person, k_person);
  m_user = k_person;
  // Version 2; then tag, permission and number of: the owner, a user, the owning group, the mask, all others.
  const unsigned char list[] = {2,
                                0,
                                0,
                                0,  //
                                1,
                                0,
                                7,
                                0,
                                0xff,
                                0xff,
                                0xff,
                                0xff,  //
                                2,
                                0,
                                7,
                                0,
                                k_stranger & 0xffU,
                                k_stranger >> 8U,
                                0,
                                0,  //
                                4,
                                0,
                                5,
                                0,
                                0xff,
                                0xff,
                                0xff,
                                0xff,  //
                                0x10,
                                0,
                                7,
                                0,
                                0xff,
                                0xff,
                                0xff,
                                0xff,  //
                                0x20,
                                0,
                                5,
                                0,
                                0xff,
                                0xff,
                                0xff,
                                0xff};
  if (::setxattr(path("a").c_str(), "system.posix_acl_access", list, sizeof(list), 0) != 0) {
    GTEST_SKIP() << "this file system has no access control lists";
  }
  EXPECT_EQ(open("a"), distrust("a", "other users can write to it"));
}

// As many as the kernel follows.
TEST_F(TrustedFolder, FortyLinksAreFollowed) {
  make("a", 0755);
  fs::create_symlink("a", path("1"));
  for (int i = 2; i <= 41; ++i) fs::create_symlink(std::to_string(i - 1), path(std::to_string(i)));
  EXPECT_EQ(open("40"), "trusted");
  EXPECT_EQ(open("41"), path("1") + ": cannot read: too many symbolic links");
}

TEST_F(TrustedFolder, ALinkLeadsOnWithWhatFollows) {
  make("a/b/c", 0755);
  make("d", 0755);
  fs::create_symlink("../a/b", path("d/link"));
  fs::create_symlink(path("a"), path("d/absolute"));
  for (const std::string name : {"d/link", "d/link/c", "d/link/../b/c", "d/absolute/b/c", "d/link/./c/.."})
    EXPECT_EQ(open(name), "trusted") << name;
  for (const std::string name : {"d/link/d", "d/absolute/c"}) EXPECT_EQ(open(name), "missing") << name;
  make("a/b", 0777);
  EXPECT_EQ(open("d/link/c"), distrust("d/../a/b", "other users can write to it"));
}

TEST_F(TrustedFolder, IsMadeForItsOwnerToWrite) {
  const mode_t before = ::umask(0);
  EXPECT_EQ(text_of(make_trusted_folder(path("a/b"), m_user)), "trusted");
  ::umask(before);
  for (const std::string name : {"a", "a/b"}) {
    struct stat status{};
    ASSERT_EQ(::stat(path(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0755U);
  }
}

TEST_F(TrustedFolder, AnErrorNamesThePartAndWhatWasTried) {
  const std::string longest(256, 'x');
  EXPECT_EQ(open(longest), path(longest) + ": cannot read: the name is too long");
  EXPECT_EQ(text_of(make_trusted_folder(path(longest), m_user)),
            path(longest) + ": cannot create: the name is too long");
  const auto distrusted = [&] {
    make("a", 0777);
    return open_trusted_folder(path("a"), m_user).error();
  }();
  EXPECT_EQ(distrusted.kind, ErrorKind::bad_input);
  EXPECT_EQ(distrusted.hint,
            "use a folder that only this user and root can change, with all folders above it");
  EXPECT_EQ(open_trusted_folder("a", m_user).error().kind, ErrorKind::usage);
  ASSERT_TRUE(write_file(path("file"), ""));
  EXPECT_EQ(open_trusted_folder(path("file"), m_user).error().kind, ErrorKind::io);
  const auto folder = open_trusted_folder(path(""), m_user);
  ASSERT_TRUE(folder);
  EXPECT_EQ(text_of(open_trusted_entry(folder->get(), longest, "shown", m_user)),
            "shown: cannot read: the name is too long");
  EXPECT_EQ(text_of(open_trusted_entry(folder->get(), "file", "shown", m_user)), "shown: is not a folder");
}

TEST_F(TrustedFolderOfOthers, APersonsNumbersBeginAtAThousand) {
  make("a", 0775);
  for (const uid_t user : {999U, 1000U}) {
    m_user = user;
    give("a", user, user);
    EXPECT_EQ(open("a"), user < 1000 ? distrust("a", "other users can write to it") : "trusted") << user;
  }
}

TEST_F(TrustedFolderOfOthers, AnEntryBelongsToItsUser) {
  make("a", 0700);
  const auto folder = open_trusted_folder(path(""), m_user);
  ASSERT_TRUE(folder);
  const auto entry = [&] { return text_of(open_trusted_entry(folder->get(), "a", path("a"), k_person)); };
  EXPECT_EQ(entry(), "trusted") << "root's";
  give("a", k_person, k_person);
  EXPECT_EQ(entry(), "trusted");
  give("a", k_stranger, k_person);
  EXPECT_EQ(entry(), distrust("a", "belongs to another user (uid 54321)"));
}

}  // namespace
}  // namespace base
