// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/base_environment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/errors.h"
#include "base/files.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

class LayOnBase : public testing::Test {
 protected:
  LayOnBase() {
    for (const auto* const name : {"base", "top"}) EXPECT_TRUE(base::make_folders(m_folder.path() / name));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void write(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    ASSERT_TRUE(base::make_folders(m_folder.path() / base::fs::path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), content, mode));
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  }
  [[nodiscard]] struct stat status(const std::string& name) const {
    struct stat found{};
    EXPECT_EQ(::lstat(path(name).c_str(), &found), 0) << name;
    return found;
  }
  [[nodiscard]] bool is_same_file(const std::string& name) const {
    return status("base/" + name).st_ino == status("top/" + name).st_ino;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    return base::read_file(path(name)).value_or("none");
  }
  // "done" or the error.
  std::string lay(const MakeRoom& make_room = {}) const {
    const base::UniqueFd top(::open(path("top").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto status = lay_on_base(top.get(), path("base"), "/disk", make_room);
    if (status) return "done";
    std::string text = base::format_error(status.error());
    const auto at = text.find(m_folder.path().string());
    if (at != std::string::npos) text.replace(at, m_folder.path().string().size(), "TMP");
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "base.").value();
};

TEST_F(LayOnBase, CodeHasTwoNamesAndOtherFilesAreCopies) {
  const std::vector<std::string> code = {"m.py", "m.pyc", "m.pyi", "l.so", "l.so.1.2", "l.a", "h.h", "h.hpp"};
  const std::vector<std::string> data = {"py", "m.pyx", "cacert.pem", "table.txt", "so", "l.sox", "a", "h"};
  for (const auto& name : code) write("base/d/" + name, name);
  for (const auto& name : data) write("base/d/" + name, name);
  ASSERT_EQ(lay(), "done");
  for (const auto& name : code) EXPECT_TRUE(is_same_file("d/" + name)) << name;
  for (const auto& name : data) {
    EXPECT_FALSE(is_same_file("d/" + name)) << name;
    EXPECT_EQ(content("top/d/" + name), name);
    EXPECT_EQ(status("top/d/" + name).st_mtim.tv_sec, k_file_time) << "as unpacking leaves a file";
  }
}

TEST_F(LayOnBase, HasEverythingThatIsNotThereYet) {
  write("base/a/b/deep.txt", "deep");
  write("base/own.txt", "of the base");
  write("base/own.py", "of the base");
  write("base/tool", "tool", 06755);
  write("base/plain", "plain", 0640);
  ASSERT_TRUE(base::make_folders(path("base/empty")));
  base::fs::create_symlink("a/b/../none", path("base/link"));
  base::fs::create_symlink("other", path("base/own-link"));
  write("top/own.txt", "of the top");
  write("top/own.py", "of the top");
  write("top/a/b/more.txt", "more");
  base::fs::create_symlink("mine", path("top/own-link"));
  const mode_t umask = ::umask(0);
  const auto laid = lay();
  ::umask(umask);
  ASSERT_EQ(laid, "done");
  EXPECT_EQ(content("top/a/b/deep.txt"), "deep");
  EXPECT_EQ(content("top/a/b/more.txt"), "more");
  EXPECT_EQ(content("top/own.txt"), "of the top");
  EXPECT_EQ(content("top/own.py"), "of the top");
  EXPECT_EQ(status("top/tool").st_mode & 07777U, 0755U);
  EXPECT_EQ(status("top/plain").st_mode & 07777U, 0640U);
  EXPECT_EQ(status("top/empty").st_mode & 07777U, 0755U);
  EXPECT_EQ(base::fs::read_symlink(path("top/link")), "a/b/../none");
  EXPECT_EQ(base::fs::read_symlink(path("top/own-link")), "mine");
}

TEST_F(LayOnBase, AFolderAndSomethingElseOfOneNameContradictEachOther) {
  const std::string fault = "is a folder here, but not in the environment stacked on it\n";
  write("base/a/x/file", "");
  write("top/a/x", "a file");
  EXPECT_EQ(lay(), "error: TMP/base/a/x: " + fault);
  ASSERT_TRUE(base::remove_tree(path("top/a")));
  base::fs::create_symlink(path("base"), path("top/a"));
  EXPECT_EQ(lay(), "error: TMP/base/a: " + fault);
  EXPECT_EQ(std::distance(base::fs::directory_iterator(path("base")), {}), 1) << "nothing was written there";
}

TEST_F(LayOnBase, WithoutItsBaseItIsNone) {
  ASSERT_TRUE(base::remove_tree(path("base")));
  EXPECT_EQ(lay(), "error: TMP/base: cannot read: no such file or folder\n");
}

TEST_F(LayOnBase, WhereASecondNameIsNotPossibleACopyIsMade) {
  const auto with = [&](int error_number) {
    write("base/m.py", "code");
    const steps::Watch watch(
        [&](std::string_view call, std::string_view) { return call == "link" ? error_number : 0; });
    return lay();
  };
  for (const int error_number : {EXDEV, EPERM, EMLINK}) {
    EXPECT_EQ(with(error_number), "done") << error_number;
    EXPECT_EQ(content("top/m.py"), "code");
    EXPECT_FALSE(is_same_file("m.py"));
    ASSERT_TRUE(base::remove_tree(path("top/m.py")));
  }
  EXPECT_EQ(with(EIO), "error: /disk/m.py: cannot write: Input/output error\n");
  EXPECT_FALSE(base::fs::exists(path("top/m.py")));
}

TEST_F(LayOnBase, WhateverCannotBeMadeIsNamedAndNotHalfThere) {
  ASSERT_TRUE(base::make_folders(path("base/folder")));
  write("base/folder/data.txt", "data");
  base::fs::create_symlink("data.txt", path("base/folder/link"));
  const struct {
    const char* call;
    const char* path;
    const char* where;
  } k_cases[] = {{"mkdir", "folder", "folder"},           {"open", "folder", "folder"},
                 {"stat", "data.txt", "folder/data.txt"}, {"open", "data.txt", "folder/data.txt"},
                 {"write", "", "folder/data.txt"},        {"readlink", "link", "folder/link"},
                 {"symlink", "link", "folder/link"}};
  for (const auto& one : k_cases) {
    for (int skipped = 0; skipped < (std::string_view(one.call) == "open" ? 2 : 1); ++skipped) {
      ASSERT_TRUE(base::remove_tree(path("top")));
      ASSERT_TRUE(base::make_folders(path("top")));
      int count = 0;
      const steps::Watch watch(
          [&](std::string_view call, std::string_view path) {
            return call == one.call && path == one.path && count++ == skipped ? EIO : 0;
          },
          steps::Calls::all);
      EXPECT_EQ(lay(), std::string("error: /disk/") + one.where + ": cannot write: Input/output error\n")
          << one.call << skipped;
      EXPECT_NE(content("top/folder/data.txt"), "");
    }
  }
}

TEST_F(LayOnBase, ADiskThatIsFullGetsRoomAsLongAsThereIsSome) {
  write("base/folder/data.txt", "data");
  write("base/folder/m.py", "code");
  base::fs::create_symlink("data.txt", path("base/folder/link"));
  for (const int error_number : {ENOSPC, EDQUOT}) {
    for (const auto* const full : {"mkdir", "link", "symlink", "write"}) {
      ASSERT_TRUE(base::remove_tree(path("top")));
      ASSERT_TRUE(base::make_folders(path("top")));
      int rooms = 0;
      const steps::Watch watch([&](std::string_view call,
                                   std::string_view) { return call == full && rooms < 2 ? error_number : 0; },
                               steps::Calls::all);
      EXPECT_EQ(lay([&] { return ++rooms <= 2; }), "done") << full;
      EXPECT_EQ(rooms, 2) << full;
      EXPECT_EQ(content("top/folder/link"), "data");
      EXPECT_EQ(content("top/folder/m.py"), "code");
    }
  }
  ASSERT_TRUE(base::remove_tree(path("top")));
  ASSERT_TRUE(base::make_folders(path("top")));
  int asked = 0;
  const steps::Watch watch(
      [&](std::string_view call, std::string_view) { return call == "mkdir" ? ENOSPC : 0; },
      steps::Calls::all);
  EXPECT_TRUE(lay([&] { return ++asked < 3; }).starts_with("error: /disk/folder: cannot write: no space"));
  EXPECT_EQ(asked, 3);
}

TEST_F(LayOnBase, TheBaseIsNamedByItsDigestInALine) {
  const std::string digest(64, 'b');
  const auto named = [&]() -> std::string {
    const auto found = base_of(path("top"));
    if (found) return *found;
    EXPECT_EQ(found.error().kind, base::ErrorKind::bad_input);
    EXPECT_EQ(found.error().where, path("top/.base"));
    return found.error().what;
  };
  EXPECT_EQ(named(), "") << "there is none";
  write("top/.base", digest + "\n");
  EXPECT_EQ(named(), digest);
  const std::string fault = "is not the digest of a bundle";
  for (const auto& wrong : {digest, digest + "\n\n", std::string("\n"), std::string(), digest + "b\n",
                            digest.substr(1) + "\n", "../" + digest.substr(3) + "\n", digest + "x"}) {
    write("top/.base", wrong);
    EXPECT_EQ(named(), fault) << wrong;
  }
  ASSERT_TRUE(base::remove_tree(path("top/.base")));
  write("named", digest + "\n");
  base::fs::create_symlink("../named", path("top/.base"));
  EXPECT_EQ(named(), fault);
  ASSERT_TRUE(base::remove_tree(path("top")));
  write("top", "");
  EXPECT_EQ(named(), fault) << "what cannot be looked at";
}

}  // namespace
}  // namespace shim
