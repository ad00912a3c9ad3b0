// SPDX-License-Identifier: Apache-2.0
// Packages of the source that are installed: which they are, and from where they are imported.
#include "builder-runtime/languages/python/install/source_packages.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>

#include "base/text.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::HasSubstr;

class SourcePackages : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "packages.").value();
  const fs::path m_source = m_folder.path() / "source";
  const fs::path m_site = m_folder.path() / "tree/lib/site-packages";
  int m_distributions = 0;

  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_source));
    ASSERT_TRUE(base::make_folders(m_site));
  }
  static void write(const fs::path& path, const std::string& text = "") {
    ASSERT_TRUE(base::make_folders(path.parent_path()));
    ASSERT_TRUE(base::write_file(path, text));
  }
  // The files of the source below `project`, and what is installed of it.
  SourceDistribution install(const std::string& project, const std::map<std::string, std::string>& source,
                             const std::map<std::string, std::string>& installed) {
    for (const auto& [name, text] : source) write(m_source / name, text);
    std::string record;
    const fs::path information = "own" + std::to_string(m_distributions++) + "-1.dist-info";
    for (const auto& [name, text] : installed) {
      write(m_site / name, text);
      record += name + ",,\n";
    }
    write(m_site / information / "RECORD", record);
    return {m_site / information, project};
  }
  // "NAME at ROOT", with "!" for what is mirrored.
  std::vector<std::string> found(const std::vector<SourceDistribution>& distributions) {
    std::vector<std::string> told;
    const auto packages = find_source_packages(m_site, m_source, distributions).value();
    for (const auto& package : packages)
      told.push_back(package.name + " at " + package.root.string() + (package.is_mirrored ? "!" : ""));
    return told;
  }
  static std::string target(const fs::path& link) {
    boost::system::error_code error;
    return fs::read_symlink(link, error).string();
  }
};

TEST_F(SourcePackages, AreFoundWhereTheyAreInTheSource) {
  const struct {
    std::string name;
    std::map<std::string, std::string> source, installed;
    std::vector<std::string> expected;
  } rows[] = {
      {"as it is", {{"a1/__init__.py", "x"}}, {{"a1/__init__.py", "x"}}, {"a1 at "}},
      {"below src", {{"src/a2/__init__.py", "x"}}, {{"a2/__init__.py", "x"}}, {"a2 at src!"}},
      {"below another folder",
       {{"python/a3/__init__.py", "x"}},
       {{"a3/__init__.py", "x"}},
       {"a3 at python!"}},
      {"changed", {{"a4/__init__.py", "x"}}, {{"a4/__init__.py", "y"}}, {"a4 at !"}},
      {"longer", {{"a5/__init__.py", "x"}}, {{"a5/__init__.py", "xx"}}, {"a5 at !"}},
      {"with a file more",
       {{"a6/__init__.py", "x"}},
       {{"a6/__init__.py", "x"}, {"a6/version.py", ""}},
       {"a6 at !"}},
      {"compiled",
       {{"a7/__init__.py", "x"}},
       {{"a7/__init__.py", "x"}, {"a7/f.cpython-311.so", ""}},
       {"a7 at !"}},
      {"a module", {{"m1.py", "x"}}, {{"m1.py", "x"}}, {"m1 at "}},
      {"a compiled module", {{"m2.py", "x"}}, {{"m2.cpython-311-x86_64-linux-gnu.so", "y"}}, {"m2 at !"}},
      {"a namespace",
       {{"ns/a8/__init__.py", ""}, {"ns/m.py", ""}},
       {{"ns/a8/__init__.py", ""}, {"ns/m.py", ""}},
       {"ns.a8 at ", "ns.m at "}},
      {"of another", {{"other.txt", ""}}, {{"a9/__init__.py", "x"}}, {}},
      {"no names",
       {{"a-b/__init__.py", ""}, {"1c.py", ""}, {"d.txt", ""}},
       {{"a-b/__init__.py", ""}, {"1c.py", ""}, {"d.txt", ""}},
       {}},
      {"bytecode does not count",
       {{"b1/__init__.py", "x"}},
       {{"b1/__init__.py", "x"}, {"b1/__pycache__/x.pyc", ""}, {"__pycache__/y.py", ""}},
       {"b1 at "}},
  };
  for (const auto& row : rows)
    EXPECT_EQ(found({install("", row.source, row.installed)}), row.expected) << row.name;
}

TEST_F(SourcePackages, TheFirstDistributionHasAName) {
  const auto one = install("libs/one", {{"libs/one/a/__init__.py", "x"}}, {{"a/__init__.py", "x"}});
  const auto two = install("libs/two", {{"libs/two/src/a/__init__.py", "x"}}, {{"a/__init__.py", "x"}});
  EXPECT_THAT(found({one, two}), ElementsAre("a at libs/one!"));
  EXPECT_THAT(found({two, one}), ElementsAre("a at libs/two/src!"));
}

TEST_F(SourcePackages, ResultsOfBuildsAndHiddenFoldersAreNoPlaces) {
  for (const std::string folder : {"build", "dist", ".venv"}) {
    EXPECT_THAT(found({install("", {{folder + "/a/__init__.py", ""}}, {{"a/__init__.py", ""}})}),
                ElementsAre())
        << folder;
  }
}

TEST_F(SourcePackages, ModulesOfADistribution) {
  const auto one = install("", {},
                           {{"a/__init__.py", ""},
                            {"a/cli.py", ""},
                            {"b.cpython-311.so", ""},
                            {"a/d.txt", ""},
                            {"../../bin/tool", ""}});
  EXPECT_THAT(modules_of_distribution(one.information).value(),
              testing::UnorderedElementsAre("a.__init__", "a.cli", "b"));
}

TEST_F(SourcePackages, TheFinderKnowsTheirFolders) {
  ASSERT_TRUE(add_source_finder(m_site, {}));
  EXPECT_TRUE(fs::is_empty(m_site));
  ASSERT_TRUE(add_source_finder(
      m_site, {{.name = "a", .path = "a", .root = "", .is_mirrored = false, .files = {}},
               {.name = "n.b", .path = "n/b", .root = "src", .is_mirrored = true, .files = {}},
               {.name = "q\"\\", .path = "c", .root = "x\ny", .is_mirrored = true, .files = {}}}));
  EXPECT_EQ(base::read_file(m_site / "_pachbuild_source.pth").value(), "import _pachbuild_source\n");
  EXPECT_THAT(base::read_file(m_site / "_pachbuild_source.py").value(),
              HasSubstr("FOLDERS = {\n    \"a\": \"/pfs/source\",\n    \"n.b\": \"source/src/n\",\n"
                        "    \"q\\\"\\\\\": \"source/x\\ny\",\n}\n"));
}

TEST_F(SourcePackages, TheMirrorIsTheSourceWithWhatWasBuilt) {
  const auto own = install("",
                           {{"src/a/__init__.py", "x"},
                            {"src/a/data/d.txt", "d"},
                            {"src/a/.git/x", ""},
                            {"top.txt", ""},
                            {"src/beside.txt", ""}},
                           {{"a/__init__.py", "x"}, {"a/fast.so", "built"}});
  write(m_site / "a.libs/lib.so", "");
  const auto packages = find_source_packages(m_site, m_source, {own}).value();
  ASSERT_EQ(packages.size(), 1U);
  const fs::path tree = m_folder.path() / "tree";
  ASSERT_TRUE(make_source_mirror(tree, m_site, m_source, packages));
  const fs::path mirror = tree / "source";
  EXPECT_EQ(base::read_file(mirror / "src/a/fast.so"), "built");
  EXPECT_EQ(target(m_site / "a"), "../../source/src/a");
  EXPECT_EQ(base::read_file(m_site / "a/fast.so"), "built") << "through the link";
  EXPECT_EQ(target(mirror / "src/a/data"), "/pfs/source/src/a/data");
  EXPECT_EQ(target(mirror / "src/beside.txt"), "/pfs/source/src/beside.txt");
  EXPECT_EQ(target(mirror / "top.txt"), "/pfs/source/top.txt");
  EXPECT_FALSE(fs::exists(fs::symlink_status(mirror / "src/a/.git")));
  EXPECT_FALSE(fs::is_symlink(mirror / "src"));
  EXPECT_EQ(target(mirror / "src/a.libs"), "../../lib/site-packages/a.libs");
}

TEST_F(SourcePackages, AModuleMovesWithItsBytecode) {
  const auto own = install("", {{"src/m.py", "x"}}, {{"m.py", "y"}});
  write(m_site / "__pycache__/m.cpython-311.pyc", "m");
  write(m_site / "__pycache__/more.cpython-311.pyc", "other");
  ASSERT_TRUE(make_source_mirror(m_folder.path() / "tree", m_site, m_source,
                                 find_source_packages(m_site, m_source, {own}).value()));
  const fs::path mirror = m_folder.path() / "tree/source/src";
  EXPECT_EQ(base::read_file(mirror / "m.py"), "y");
  EXPECT_EQ(target(m_site / "m.py"), "../../source/src/m.py");
  EXPECT_EQ(base::read_file(mirror / "__pycache__/m.cpython-311.pyc"), "m");
  EXPECT_FALSE(fs::exists(mirror / "__pycache__/more.cpython-311.pyc"));
  EXPECT_TRUE(fs::exists(m_site / "__pycache__/more.cpython-311.pyc"));
}

TEST_F(SourcePackages, WhatBelongsToThemIsKnownByItsName) {
  const struct {
    std::string name;
    std::map<std::string, std::string> source, installed;
    std::vector<std::string> expected;
  } rows[] = {
      {"a compiled package",
       {{"c1/x.py", ""}},
       {{"c1/__init__.cpython-311.so", ""}, {"c1/x.py", ""}},
       {"c1 at !"}},
      {"letters of all languages",
       {{"\xc3\xa9t_1/__init__.py", ""}},
       {{"\xc3\xa9t_1/__init__.py", ""}},
       {"\xc3\xa9t_1 at "}},
      {"outside", {{"c2/__init__.py", ""}}, {{"../c2/__init__.py", ""}, {"/c2/__init__.py", ""}}, {}},
      {"bytecode alone", {{"c3.py", ""}}, {{"c3.pyc", ""}}, {}},
      {"a deep namespace", {{"n/m/c4/__init__.py", ""}}, {{"n/m/c4/__init__.py", ""}}, {"n.m.c4 at "}},
      {"a module of two files",
       {{"src/c5.py", ""}},
       {{"c5.py", ""}, {"c5.cpython-311.so", ""}},
       {"c5 at src!"}},
      {"src before others", {{"a/c6.py", ""}, {"src/c6.py", ""}}, {{"c6.py", ""}}, {"c6 at src!"}},
      {"others by their names", {{"z/c7.py", ""}, {"y/c7.py", ""}}, {{"c7.py", ""}}, {"c7 at y!"}},
      {"a compiled module of the source itself", {{"c8.pyx", ""}}, {{"c8.cpython-311.so", ""}}, {}},
      {"data in a namespace", {{"e/c9.txt", ""}}, {{"e/c9.txt", ""}}, {}},
  };
  for (const auto& row : rows)
    EXPECT_EQ(found({install("", row.source, row.installed)}), row.expected) << row.name;
}

TEST_F(SourcePackages, OfAModuleTheFilesAreKnown) {
  const auto own = install("", {{"src/n/m.py", "x"}, {"p/__init__.py", ""}},
                           {{"n/m.py", "x"}, {"n/m.cpython-311.so", ""}, {"p/__init__.py", ""}});
  const auto packages = find_source_packages(m_site, m_source, {own}).value();
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "n.m");
  EXPECT_EQ(packages[0].path, "n/m.py");
  EXPECT_THAT(packages[0].files, testing::UnorderedElementsAre("n/m.py", "n/m.cpython-311.so"));
  EXPECT_EQ(packages[1].path, "p");
  EXPECT_TRUE(packages[1].files.empty());
}

TEST_F(SourcePackages, TheMirrorHasWhatTheSourceHasOnlyOnce) {
  const auto own = install("",
                           {{"src/n/a/__init__.py", "x"},
                            {"src/n/a/both/own.txt", "s"},
                            {"src/n/a/both/more/x.txt", "s"},
                            {"src/n/b.txt", "s"},
                            {"src/.hg/x", ""},
                            {"src/.svn/x", ""},
                            {"src/__pycache__/x", ""},
                            {"src/.gitignore", ""},
                            {"other/c.txt", ""}},
                           {{"n/a/__init__.py", "y"}, {"n/a/both/made.txt", "made"}});
  write(m_site / "x.libs/lib.so", "");
  write(m_site / "y.libs", "a file");
  write(m_source / "src/z.txt", "");
  const auto packages = find_source_packages(m_site, m_source, {own}).value();
  const fs::path tree = m_folder.path() / "tree";
  ASSERT_TRUE(make_source_mirror(tree, m_site, m_source, packages));
  const fs::path src = tree / "source/src";
  const auto is_there = [](const fs::path& path) {
    return fs::symlink_status(path).type() != fs::file_not_found;
  };
  EXPECT_EQ(base::read_file(src / "n/a/__init__.py"), "y");
  EXPECT_EQ(base::read_file(src / "n/a/both/made.txt"), "made");
  EXPECT_EQ(target(src / "n/a/both/own.txt"), "/pfs/source/src/n/a/both/own.txt");
  EXPECT_EQ(target(src / "n/a/both/more"), "/pfs/source/src/n/a/both/more");
  EXPECT_EQ(target(src / "n/b.txt"), "/pfs/source/src/n/b.txt");
  EXPECT_EQ(target(src / ".gitignore"), "/pfs/source/src/.gitignore");
  EXPECT_EQ(target(tree / "source/other"), "/pfs/source/other");
  EXPECT_EQ(target(src / "x.libs"), "../../lib/site-packages/x.libs");
  for (const auto* none : {".hg", ".svn", "__pycache__", "y.libs"})
    EXPECT_FALSE(is_there(src / none)) << none;
  EXPECT_FALSE(is_there(tree / "source/x.libs"));
}

TEST_F(SourcePackages, WithoutOneThatIsMirroredThereIsNoMirror) {
  const auto own = install("", {{"a/__init__.py", "x"}}, {{"a/__init__.py", "x"}});
  const fs::path tree = m_folder.path() / "tree";
  ASSERT_TRUE(
      make_source_mirror(tree, m_site, m_source, find_source_packages(m_site, m_source, {own}).value()));
  EXPECT_FALSE(fs::exists(tree / "source"));
  EXPECT_FALSE(fs::is_symlink(m_site / "a"));
}

TEST_F(SourcePackages, WhatCannotBeReadOrMadeIsAnError) {
  const auto own =
      install("", {{"src/a/__init__.py", "x"}, {"src/m.py", "x"}}, {{"a/__init__.py", "y"}, {"m.py", "y"}});
  const auto packages = find_source_packages(m_site, m_source, {own}).value();
  const fs::path tree = m_folder.path() / "tree";
  ASSERT_TRUE(base::write_file(tree / "source", "in the way"));
  EXPECT_FALSE(make_source_mirror(tree, m_site, m_source, {packages[0]}));
  EXPECT_FALSE(make_source_mirror(tree, m_site, m_source, {packages[1]}));
  fs::remove(tree / "source");
  fs::remove_all(m_source / "src");
  const auto gone = make_source_mirror(tree, m_site, m_source, {packages[0]});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().where, (m_source / "src/a").string());
  fs::remove(own.information / "RECORD");
  EXPECT_FALSE(find_source_packages(m_site, m_source, {own}));
  EXPECT_FALSE(modules_of_distribution(own.information));
  EXPECT_FALSE(add_source_finder(m_folder.path() / "none/none", packages));
}

}  // namespace
}  // namespace builder::python
