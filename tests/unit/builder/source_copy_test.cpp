// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/source_copy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/source/links.h"

namespace builder {
namespace {

namespace fs = base::fs;

class SourceTree : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "source.").value();
  const fs::path m_root = fs::canonical(m_folder.path());
  const fs::path m_source = m_root / "source";

  void SetUp() override {
    for (const std::string name : {"source/a/b", "outside"}) ASSERT_TRUE(base::make_folders(m_root / name));
    put("source/a/b/file", "text", 0600);
    put("source/run", "x", 0711);
    put("outside/secret", "y", 0644);
  }
  void put(const fs::path& name, const std::string& text, mode_t mode = 0644) const {
    ASSERT_TRUE(base::make_folders((m_root / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_root / name, text, mode));
  }
  void link(const fs::path& target, const fs::path& name) const { fs::create_symlink(target, m_root / name); }
};

class SourceCopy : public SourceTree {
 protected:
  // "name mode content" of all that a copy has, sorted.
  [[nodiscard]] std::vector<std::string> copied() const {
    const fs::path copy = m_root / "copies" / "copy";
    const auto status = copy_source(m_source, copy);
    EXPECT_TRUE(status) << status.error().what;
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(copy)) {
      struct stat now{};
      EXPECT_EQ(::lstat(entry.path().c_str(), &now), 0);
      const std::string mode = S_ISLNK(now.st_mode)            ? "link"
                               : (now.st_mode & S_IXUSR) != 0U ? "0755"
                                                               : "0644";
      EXPECT_EQ(now.st_mode & 07777U, mode == "0755" ? 0755U : 0644U) << entry.path();
      lines.push_back(entry.path().lexically_relative(copy).string() + " " + mode +
                      (S_ISREG(now.st_mode) ? " " + base::read_file(entry.path()).value_or("?") : ""));
    }
    std::sort(lines.begin(), lines.end());
    EXPECT_TRUE(base::remove_tree(m_root / "copies"));
    return lines;
  }
  const std::vector<std::string> m_plain = {"a 0755", "a/b 0755", "a/b/file 0644 text", "run 0755 x"};
};

TEST_F(SourceCopy, HasFilesAndFoldersWithPlainModes) { EXPECT_EQ(copied(), m_plain); }

TEST_F(SourceCopy, LeavesOutWhatVersionControlKeepsAtEachDepth) {
  for (const std::string name : {".git", ".hg", ".svn"}) {
    put(fs::path("source") / name / "x", "");
    put(fs::path("source/a/b") / name, "");
  }
  EXPECT_EQ(copied(), m_plain);
  for (const std::string name : {".gitignore", "git", ".hgx"}) put(fs::path("source") / name, "");
  auto more = m_plain;
  more.insert(more.begin(), {".gitignore 0644 ", ".hgx 0644 "});
  more.insert(more.end() - 1, "git 0644 ");
  EXPECT_EQ(copied(), more);
}

TEST_F(SourceCopy, HasWhatLinksLeadToInsideTheSource) {
  link("a", "source/one");
  link(m_source / "a", "source/other");
  link("../../run", "source/a/b/up");
  EXPECT_EQ(copied(),
            (std::vector<std::string>{"a 0755", "a/b 0755", "a/b/file 0644 text", "a/b/up 0755 x",          //
                                      "one 0755", "one/b 0755", "one/b/file 0644 text", "one/b/up 0755 x",  //
                                      "other 0755", "other/b 0755", "other/b/file 0644 text",
                                      "other/b/up 0755 x", "run 0755 x"}));
}

TEST_F(SourceCopy, LeavesOutLinksThatLeadOutOrNowhere) {
  link("../outside", "source/folder");
  link(m_root / "outside/secret", "source/a/file");
  link("nowhere", "source/broken");
  link("circle", "source/circle");
  link("run/none", "source/below-a-file");
  EXPECT_EQ(copied(), m_plain);
}

TEST_F(SourceCopy, AFolderThatHoldsItselfIsCopiedOnce) {
  link(".", "source/a/b/here");
  link("..", "source/a/b/above");
  EXPECT_EQ(copied(), m_plain);
}

TEST_F(SourceCopy, LeavesOutPipes) {
  ASSERT_EQ(::mkfifo((m_source / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(copied(), m_plain);
}

TEST_F(SourceCopy, OfWhatIsNotThereIsAnError) {
  const auto status = copy_source(m_root / "none", m_root / "copy");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, (m_root / "none").string());
  EXPECT_EQ(status.error().what, "cannot read: no such file or folder");
  EXPECT_FALSE(fs::exists(m_root / "copy"));
}

class SourceLinks : public SourceTree {
 protected:
  [[nodiscard]] std::string fault() const {
    const auto status = check_links(m_source);
    if (status) return "";
    EXPECT_EQ(status.error().kind, base::ErrorKind::bad_input);
    EXPECT_EQ(status.error().hint, "replace it with a copy");
    return status.error().where + ": " + status.error().what;
  }
};

TEST_F(SourceLinks, MayLeadAnywhereInsideAndNowhere) {
  link("a", "source/folder");
  link(m_source / "run", "source/a/absolute");
  link("nowhere", "source/broken");
  link("circle", "source/circle");
  link("..", "source/a/up");
  EXPECT_EQ(fault(), "");
}

TEST_F(SourceLinks, OutOfTheSourceAreNamed) {
  for (const fs::path& target :
       std::vector<fs::path>{m_root / "outside", "../../../outside/secret", m_root}) {
    link(target, "source/a/b/link");
    const auto real = fs::canonical(m_source / "a/b/link").string();
    EXPECT_EQ(fault(),
              (m_source / "a/b/link").string() + ": is a symbolic link to " + real + ", outside the source");
    fs::remove(m_source / "a/b/link");
  }
}

// A virtual environment has links to its Python; it comes into no build.
TEST_F(SourceLinks, OfAVirtualEnvironmentAreItsOwn) {
  link("/bin/sh", "source/a/b/python");
  EXPECT_NE(fault(), "");
  put("source/a/pyvenv.cfg", "");
  EXPECT_EQ(fault(), "");
  link(m_root / "outside", "source/link");
  EXPECT_NE(fault(), "");
  fs::remove(m_source / "link");
  fs::remove(m_source / "a/pyvenv.cfg");
  put("source/pyvenv.cfg", "");
  EXPECT_NE(fault(), "") << "the source itself is none";
}

TEST_F(SourceLinks, OfASourceThatIsNotThereAreAnError) {
  const auto status = check_links(m_root / "none");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, (m_root / "none").string());
  EXPECT_EQ(status.error().what, "cannot read: no such file or folder");
}

}  // namespace
}  // namespace builder
