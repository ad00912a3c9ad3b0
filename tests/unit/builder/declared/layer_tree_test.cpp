// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/layer_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/text.h"

namespace builder::declared {
namespace {

class DeclaredLayerTree : public testing::Test {
 protected:
  DeclaredLayerTree() {
    fs::create_directories(m_folder.path() / "tree");
    fs::create_directories(m_folder.path() / "source");
    fs::create_directories(m_folder.path() / "outside");
    file("outside/kept", "kept");
  }

  void file(const std::string& path, const std::string& content) {
    const auto whole = m_folder.path() / path;
    fs::create_directories(whole.parent_path());
    ASSERT_TRUE(base::write_file(whole, content));
  }

  LayerTree tree() { return LayerTree::open(m_folder.path() / "tree").value(); }
  SourceFiles source() { return SourceFiles::list(m_folder.path() / "source", {}).value(); }

  // "a/ a/b l@".
  std::string content() {
    std::vector<std::string> all;
    const auto entries = tree().entries().value();
    for (const auto& entry : entries) {
      all.push_back(entry.path + (entry.type == TreeEntry::Type::folder ? "/"
                                  : entry.type == TreeEntry::Type::link ? "@"
                                  : entry.type == TreeEntry::Type::file ? ""
                                                                        : "?"));
    }
    return base::join(all, " ");
  }

  bool is_executable(const std::string& path) {
    struct stat status{};
    return ::stat((m_folder.path() / "tree" / path).c_str(), &status) == 0 && (status.st_mode & S_IXUSR) != 0;
  }

  static FilePatterns patterns(const std::vector<std::string>& texts) {
    FilePatterns all;
    for (const auto& text : texts) all.push_back(FilePattern::compile(text).value());
    return all;
  }
  static CopyDescription copying(const std::string& from, const std::string& to) {
    return {FilePattern::compile(from).value(), to};
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "layer.").value();
};

TEST_F(DeclaredLayerTree, FilesAndLinksAreAdded) {
  auto made = tree();
  file("source/x", "x");
  ASSERT_TRUE(made.make_folder("a/b"));
  ASSERT_TRUE(made.make_folder("."));
  ASSERT_TRUE(made.add_file(m_folder.path() / "source/x", "a/x", true));
  ASSERT_TRUE(made.add_file(m_folder.path() / "source/x", "a/x", false));
  ASSERT_TRUE(made.add_file(m_folder.path() / "source/x", "y", true));
  ASSERT_TRUE(made.add_link("../y", "a/l"));
  ASSERT_TRUE(made.add_link("y", "y2"));
  ASSERT_TRUE(made.add_link("a", "y2"));
  EXPECT_EQ(content(), "a/ a/b/ a/l@ a/x y y2@");
  EXPECT_FALSE(is_executable("a/x"));
  EXPECT_TRUE(is_executable("y"));
  EXPECT_EQ(fs::read_symlink(m_folder.path() / "tree/y2"), "a");
}

TEST_F(DeclaredLayerTree, LinksAreNotFollowed) {
  auto made = tree();
  fs::create_symlink(m_folder.path() / "outside", m_folder.path() / "tree/out");
  file("source/x", "x");
  const auto added = made.add_file(m_folder.path() / "source/x", "out/kept", false);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, base::ErrorKind::step_failed);
  EXPECT_FALSE(made.make_folder("out/new"));
  EXPECT_FALSE(made.add_link("x", "out/kept"));
  ASSERT_TRUE(made.remove(patterns({"out/kept", "out/**"})));
  ASSERT_TRUE(made.make_executable(patterns({"**"})));
  EXPECT_EQ(content(), "out@");
  ASSERT_TRUE(made.keep(patterns({"other"})));
  EXPECT_EQ(content(), "");
  EXPECT_EQ(base::read_file(m_folder.path() / "outside/kept").value(), "kept");
}

TEST_F(DeclaredLayerTree, RemovesAndKeepsByPatterns) {
  for (const std::string path : {"a/b/1", "a/b/2", "a/c/1", "d/1", "e"}) file("tree/" + path, "x");
  auto made = tree();
  ASSERT_TRUE(made.remove({}));
  ASSERT_TRUE(made.keep({}));
  ASSERT_TRUE(made.remove(patterns({"*/b", "d/*"})));
  EXPECT_EQ(content(), "a/ a/c/ a/c/1 d/ e");
  ASSERT_TRUE(made.keep(patterns({"a/c", "none"})));
  EXPECT_EQ(content(), "a/ a/c/ a/c/1");
  file("tree/a/c/2", "x");
  file("tree/ab", "x");
  ASSERT_TRUE(made.keep(patterns({"a/c/2"})));
  EXPECT_EQ(content(), "a/ a/c/ a/c/2");
}

TEST_F(DeclaredLayerTree, AFileGoesWithTheEmptyFoldersAboveIt) {
  for (const std::string path : {"a/b/1", "a/2"}) file("tree/" + path, "x");
  auto made = tree();
  ASSERT_TRUE(made.remove_path("a/b/1"));
  EXPECT_EQ(content(), "a/ a/2");
  ASSERT_TRUE(made.remove_path("a/none/x"));
  ASSERT_TRUE(made.remove_path("a/2"));
  EXPECT_EQ(content(), "");
  ASSERT_TRUE(made.remove_path("none"));
}

TEST_F(DeclaredLayerTree, ScriptsBecomeExecutable) {
  file("tree/s", "#!/bin/sh\n");
  file("tree/b", "#!/usr/bin/env bash\n");
  file("tree/t", "text\n");
  auto made = tree();
  ASSERT_TRUE(made.make_executable(patterns({"#!bash"})));
  EXPECT_TRUE(is_executable("b") && !is_executable("s") && !is_executable("t"));
  ASSERT_TRUE(made.make_executable(patterns({"#!", "none"})));
  EXPECT_TRUE(is_executable("s") && !is_executable("t"));
  EXPECT_EQ(made.files(patterns({"?"})).value(), (std::vector<std::string>{"b", "s", "t"}));
  EXPECT_EQ(made.files({}).value(), std::vector<std::string>());
}

TEST_F(DeclaredLayerTree, CopiesFilesFoldersAndPatterns) {
  for (const std::string path : {"lib/a.js", "lib/d/b.js", "top.js", "library"}) file("source/" + path, path);
  const auto copied = [&](const std::string& from, const std::string& to) {
    std::vector<std::string> paths;
    for (const auto& [file, path] : copied_files(copying(from, to), source()))
      paths.push_back(file.name + ">" + path);
    return base::join(paths, " ");
  };
  EXPECT_EQ(copied(".", "bin"),
            "lib/a.js>bin/lib/a.js lib/d/b.js>bin/lib/d/b.js library>bin/library top.js>bin/top.js");
  EXPECT_EQ(copied("lib", "."), "lib/a.js>a.js lib/d/b.js>d/b.js");
  EXPECT_EQ(copied("./lib/", "x"), "lib/a.js>x/a.js lib/d/b.js>x/d/b.js");
  EXPECT_EQ(copied("lib/a.js", "x"), "lib/a.js>x/a.js");
  EXPECT_EQ(copied("**/*.js", "."), "lib/a.js>lib/a.js lib/d/b.js>lib/d/b.js top.js>top.js");
  EXPECT_EQ(copied("none", "."), "");
  auto made = tree();
  ASSERT_TRUE(
      copy_files({copying("lib", "a"), copying("top.js", "b"), copying("none", "c")}, source(), made));
  EXPECT_EQ(content(), "a/ a/a.js a/d/ a/d/b.js b/ b/top.js");
}

TEST_F(DeclaredLayerTree, TakesFilesAndLinksThatStay) {
  for (const std::string path : {"dist/a", "dist/d/b", "other"}) file("work/" + path, path);
  fs::permissions(m_folder.path() / "work/dist/a", fs::add_perms | fs::owner_exe);
  fs::create_symlink("../other", m_folder.path() / "work/dist/l");
  fs::create_symlink("../../outside", m_folder.path() / "work/dist/up");
  fs::create_symlink("/etc", m_folder.path() / "work/dist/etc");
  auto made = tree();
  ASSERT_TRUE(take_files({copying("dist/**", "."), copying("dist/d", "flat"), copying("other", "x")},
                         m_folder.path() / "work", made));
  EXPECT_EQ(content(), "dist/ dist/a dist/d/ dist/d/b dist/l@ flat/ flat/b x/ x/other");
  EXPECT_TRUE(is_executable("dist/a"));
  EXPECT_FALSE(is_executable("x/other"));
  fs::create_directories(m_folder.path() / "second");
  auto second = LayerTree::open(m_folder.path() / "second").value();
  fs::create_directories(m_folder.path() / "tree/empty");
  fs::create_symlink("/pfs/source", m_folder.path() / "tree/source");
  ASSERT_TRUE(tree().copy_to(second));
  EXPECT_EQ(second.entries()->size(), tree().entries()->size());
  ASSERT_EQ(::mkfifo((m_folder.path() / "tree/pipe").c_str(), 0600), 0);
  EXPECT_EQ(content().substr(content().size() - 24), "pipe? source@ x/ x/other");
  EXPECT_EQ(tree().copy_to(second).error().what, "is neither a file, a folder nor a link");
}

TEST_F(DeclaredLayerTree, NestingHasALimit) {
  std::string path = "tree";
  for (int i = 0; i < 200; ++i) path += "/d";
  fs::create_directories(m_folder.path() / path);
  EXPECT_TRUE(tree().entries());
  fs::create_directories(m_folder.path() / (path + "/e"));
  EXPECT_EQ(tree().entries().error().what, "is nested too deeply");
}

}  // namespace
}  // namespace builder::declared
