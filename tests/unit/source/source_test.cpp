// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "../nobody.h"
#include "base/errors.h"

namespace source {
namespace {

namespace fs = base::fs;
using Paths = std::vector<std::string>;

class Source : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(base::make_folders(root())); }

  [[nodiscard]] fs::path root() const { return m_folder.path() / "src"; }

  void write(const std::string& path, const std::string& content = "x", mode_t mode = 0644) {
    ASSERT_TRUE(base::make_folders((root() / path).parent_path()));
    ASSERT_TRUE(base::write_file(root() / path, content, mode));
  }
  void link(const std::string& target, const std::string& path) {
    ASSERT_EQ(::symlink(target.c_str(), (root() / path).c_str()), 0);
  }
  void ignore(const std::string& lines) { write(".pachignore", lines); }

  // The paths that come along, but for .pachignore itself.
  [[nodiscard]] Paths paths() const {
    Paths all;
    const auto files = list_source(root());
    if (!files) return {base::format_error(files.error())};
    for (const SourceFile& file : *files) {
      if (file.path != k_ignore_file) all.push_back(file.path);
    }
    return all;
  }

  [[nodiscard]] std::string fault() const {
    const auto files = list_source(root());
    if (files) return "none";
    EXPECT_EQ(files.error().kind, base::ErrorKind::bad_input);
    std::string text = base::format_error(files.error());
    const std::string folder = root().string();
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.replace(at, folder.size(), "SRC");
    }
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "source.").value();
};

TEST(SourceFolder, IsNotTheRootOfTheMachine) {
  const auto source = read_source("/proc/../");
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().what, "is the root folder of this machine");
  EXPECT_EQ(source.error().kind, base::ErrorKind::bad_input);
}

TEST_F(Source, IsEveryFileSortedByPath) {
  for (const char* path : {"b.py", "a/z.py", "a.py", "a/b/c", ".hidden", "a b~-_.#$%&',;=`|\"<>\\"})
    write(path);
  ASSERT_TRUE(base::make_folders(root() / "empty"));
  EXPECT_EQ(paths(), (Paths{".hidden", "a b~-_.#$%&',;=`|\"<>\\", "a.py", "a/b/c", "a/z.py", "b.py"}));
}

TEST_F(Source, WithoutAFileIsRefused) {
  EXPECT_EQ(fault(), "error: SRC: has no source files\n");
  write("a");
  ignore("a\n.pachignore\n");
  EXPECT_EQ(fault(), "error: SRC: has no source files\nhint: pachbuild ignored lists what is left out\n");
}

TEST_F(Source, IgnoreLinesAreGlobsThatCrossFolders) {
  for (const char* path : {"a.pyc", "d/b.pyc", "d/e/f.txt", "d/g.txt", "dx"}) write(path);
  ignore("*.pyc\r\n\n  \nd/e*\n");
  EXPECT_EQ(paths(), (Paths{"d/g.txt", "dx"}));
}

TEST_F(Source, AnIgnoreLineMatchesAWholePath) {
  for (const char* path : {"d/a", "a", "da"}) write(path);
  ignore("a\nd\n");
  EXPECT_EQ(paths(), (Paths{"d/a", "da"})) << "as in Pachyderm, a folder's name alone names no file";
}

TEST_F(Source, ALineWithASlashAtItsEndIsAFolder) {
  for (const char* path : {"out/a", "x/out/b", "outer", "y/out"}) write(path);
  ignore("{,*/}out/\n");
  EXPECT_EQ(paths(), (Paths{"outer", "y/out"}));
}

TEST_F(Source, ALineWithAnExclamationMarkTakesBack) {
  for (const char* path : {"d/a.txt", "d/b.txt", "c.txt"}) write(path);
  ignore("*.txt\n!d/b.txt\n");
  EXPECT_EQ(paths(), (Paths{"d/b.txt"}));
  ignore("d/\n!d/b.txt\n");
  EXPECT_EQ(paths(), (Paths{"c.txt", "d/b.txt"}));
  ignore("d/*\n!d/\nd/a*\n");
  EXPECT_EQ(paths(), (Paths{"c.txt", "d/b.txt"}));
  ignore("!(c.txt)\n");
  EXPECT_EQ(fault(), "none");
  EXPECT_EQ(paths(), (Paths{"c.txt"})) << "\"!(\" is a group of the glob";
}

TEST_F(Source, ALineWithANumberSignIsAComment) {
  for (const char* path : {"#a", "b"}) write(path);
  ignore("#*\n");
  EXPECT_EQ(paths(), (Paths{"#a", "b"}));
  ignore("\xEF\xBB\xBF\\#*\n");
  EXPECT_EQ(paths(), (Paths{"b"}));
}

TEST_F(Source, AMalformedIgnoreLineSaysWhere) {
  write("a");
  ignore("a\n\n[b\n");
  EXPECT_EQ(fault(), "error: SRC/.pachignore:3: \"[b\": character 1: unclosed '['\n");
}

TEST_F(Source, AnIgnoreFileMustBeAFile) {
  write("a");
  ASSERT_TRUE(base::make_folders(root() / ".pachignore"));
  EXPECT_EQ(fault(), "error: SRC/.pachignore: is not a regular file\n");
}

TEST_F(Source, GitDataAndBytecodeStayBehindUnlessTakenBack) {
  for (const char* path : {".git/HEAD", "sub/.git", "__pycache__/a.pyc", "p/__pycache__/b.pyc", "p/m.py",
                           ".gitignore", "x.git/a"}) {
    write(path);
  }
  EXPECT_EQ(paths(), (Paths{".gitignore", "p/m.py", "x.git/a"}));
  ignore("!*__pycache__/\n!.git/\n");
  EXPECT_EQ(paths(), (Paths{".git/HEAD", ".gitignore", "__pycache__/a.pyc", "p/__pycache__/b.pyc", "p/m.py",
                            "x.git/a"}));
}

TEST_F(Source, AnIgnoredFolderIsNotEvenRead) {
  write("a");
  write("d/e/[bad]");
  ASSERT_EQ(::mkfifo((root() / "d/pipe").c_str(), 0600), 0);
  ignore("d/*\n");
  EXPECT_EQ(paths(), (Paths{"a"}));
  ASSERT_EQ(::chmod((root() / "d").c_str(), 0), 0);
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  const Nobody nobody;
  EXPECT_EQ(paths(), (Paths{"a"}));
}

TEST_F(Source, NamesThatPfsRefusesAreAllNamed) {
  for (const char* path : {"ok", "z[1].py", "é.txt", "d/a b+c", "n\nl"}) write(path);
  const std::string hint =
      "hint: names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename them, or list them in "
      ".pachignore\n";
  EXPECT_EQ(
      fault(),
      "error: SRC: 4 invalid file names for PFS: \"d/a b+c\" contains +, \"n\\nl\" contains \\n, \"z[1].py\" "
      "contains [ ], "
      "\"é.txt\" contains é\n" +
          hint);
  ignore("[!do.]*\nd/*\n");
  EXPECT_EQ(paths(), (Paths{"ok"}));
}

TEST_F(Source, AnErrorAboutManyNamesHasAnEnd) {
  write("ok");
  for (int i = 0; i < 60; ++i) write("@" + std::to_string(i));
  const std::string text = fault();
  EXPECT_NE(
      text.find("60 invalid file names for PFS: \"@0\" contains @, \"@1\" contains @, \"@10\" contains @"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(" and 10 more\n"), std::string::npos) << text;
}

TEST_F(Source, FiftyNamesAreAllNamed) {
  write("ok");
  for (int i = 0; i < 50; ++i) write("@" + std::to_string(i));
  EXPECT_NE(fault().find("\"@9\" contains @\n"), std::string::npos) << fault();
  write("@x");
  EXPECT_NE(fault().find("\"@9\" contains @ and 1 more\n"), std::string::npos) << fault();
}

TEST_F(Source, LinksToFilesOfTheSourceAreFollowed) {
  write("d/a", "content");
  link("d/a", "l");
  link("../l", "d/m");
  link((root() / "d/a").string(), "absolute");
  EXPECT_EQ(paths(), (Paths{"absolute", "d/a", "d/m", "l"}));
  const auto files = list_source(root()).value();
  for (const SourceFile& file : files) {
    EXPECT_EQ(base::read_file(file.file).value(), "content") << file.path;
  }
}

TEST_F(Source, OtherLinksAreRefused) {
  write("a");
  ASSERT_TRUE(base::write_file(m_folder.path() / "secret", "s"));
  ASSERT_TRUE(base::make_folders(m_folder.path() / "src2"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "src2/b", "s"));
  const auto fault_of = [&](const std::string& target) {
    link(target, "l");
    const std::string text = fault();
    fs::remove(root() / "l");
    return text;
  };
  const std::string outside = (m_folder.path() / "secret").string();
  EXPECT_EQ(fault_of("../secret"), "error: SRC/l: is a symbolic link to " + outside + ", outside the source" +
                                       "\nhint: replace it with a copy, or list it in .pachignore\n");
  EXPECT_NE(fault_of("../src2/b").find(", outside the source"), std::string::npos);
  EXPECT_EQ(fault_of("none"),
            "error: SRC/l: is a broken symbolic link to none\nhint: remove it, or list it in .pachignore\n");
  EXPECT_EQ(fault_of("l"),
            "error: SRC/l: is a broken symbolic link to l\nhint: remove it, or list it in .pachignore\n");
  EXPECT_EQ(fault_of("."),
            "error: SRC/l: is a symbolic link to a folder\n"
            "hint: replace it with a copy, or list it in .pachignore\n");
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(fault(),
            "error: SRC/pipe: is neither a file nor a folder\nhint: remove it, or list it in .pachignore\n");
  ignore("pipe\nl\n");
  link("../secret", "l");
  EXPECT_EQ(paths(), (Paths{"a"})) << "what is ignored may be anything";
}

TEST_F(Source, AFileWithoutPermissionIsNamed) {
  write("a/b", "x", 0);
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  const Nobody nobody;
  EXPECT_EQ(fault(), "error: SRC/a/b: cannot read: permission denied\n");
}

TEST_F(Source, AMissingFolderIsRefused) {
  fs::remove_all(root());
  EXPECT_EQ(fault(), "error: SRC: cannot read: no such file or folder\n");
}

TEST_F(Source, ACopyHasTheBytesAndTheModesOfPfs) {
  write("run.sh", "#!/bin/sh\n", 0755);
  write("d/e/f", std::string(100000, 'f'), 0400);
  link("d/e/f", "l");
  const fs::path copy = m_folder.path() / "copy";
  ASSERT_TRUE(base::make_folders(copy));
  ASSERT_TRUE(copy_source(list_source(root()).value(), copy));
  const auto mode = [&](const char* path) {
    struct stat status{};
    EXPECT_EQ(::lstat((copy / path).c_str(), &status), 0) << path;
    return status.st_mode;
  };
  EXPECT_EQ(mode("run.sh"), S_IFREG | 0644U);
  EXPECT_EQ(mode("d/e/f"), S_IFREG | 0644U);
  EXPECT_EQ(mode("l"), S_IFREG | 0644U);
  EXPECT_EQ(mode("d"), S_IFDIR | 0700U);
  EXPECT_EQ(mode("d/e"), S_IFDIR | 0700U);
  EXPECT_EQ(base::read_file(copy / "l").value(), std::string(100000, 'f'));
}

TEST_F(Source, ACopyThatCannotBeMadeSaysSo) {
  write("a", std::string(1000, 'x'));
  const auto status = copy_source(list_source(root()).value(), "/proc/self/no/such");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::cannot_write);
}

TEST_F(Source, TheDigestIsThatOfPathsAndContents) {
  const auto digest = [&] { return source_digest(file_digests(list_source(root()).value()).value()); };
  write("a", "1");
  write("b", "2");
  const std::string first = digest();
  ASSERT_EQ(::chmod((root() / "a").c_str(), 0755), 0);
  write("a", "1");
  EXPECT_EQ(digest(), first) << "neither modes nor times count";
  write("a", "2");
  write("b", "1");
  const std::string swapped = digest();
  EXPECT_NE(swapped, first);
  fs::rename(root() / "b", root() / "c");
  EXPECT_NE(digest(), swapped);
}

}  // namespace
}  // namespace source
