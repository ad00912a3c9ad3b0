// SPDX-License-Identifier: Apache-2.0
// What is decided about single files of a source, what a spec's commands see of it, and the file that git's
// versions are made of.
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/source/ignore.h"
#include "pachbuild/source/source.h"
#include "pachbuild/source/source_view.h"

namespace source {
namespace {

class DecisionsTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  [[nodiscard]] std::string told(const std::string& path) const {
    const auto decision = decide(m_folder.path(), path);
    if (!decision) return "fails";
    return std::string(decision->is_left_out ? "out" : "in") +
           (decision->line == 0 && decision->rule.empty()
                ? ""
                : " " + std::to_string(decision->line) + " " + decision->rule);
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "decisions.").value();
};

TEST_F(DecisionsTest, AreThoseOfTheLastLineThatMatches) {
  EXPECT_EQ(told("a"), "in");
  EXPECT_EQ(told(".git/x"), "out 0 {,*/}.git/");
  EXPECT_EQ(told("a/b~"), "out 0 *~");
  write(".pachignore", "\xEF\xBB\xBF*.log\r\n\n# c\n  \n!keep.log\ndata/\n!data/in/\n#x\n!*~\n");
  EXPECT_EQ(told("x.log"), "out 1 *.log");
  EXPECT_EQ(told("d/x.log"), "out 1 *.log");
  EXPECT_EQ(told("keep.log"), "in 5 !keep.log");
  EXPECT_EQ(told("data/a"), "out 6 data/");
  EXPECT_EQ(told("data"), "in");
  EXPECT_EQ(told("data/in/b"), "in 7 !data/in/");
  EXPECT_EQ(told("data/in/b.log"), "in 7 !data/in/") << "a line for a folder counts from there on";
  EXPECT_EQ(told("a~"), "in 9 !*~");
  write(".pachignore", "a\n[\n");
  EXPECT_EQ(told("x"), "fails");
  const auto fault = decide(m_folder.path(), "x").error();
  EXPECT_EQ(fault.kind, base::ErrorKind::bad_input);
  EXPECT_EQ(fault.where, (m_folder.path() / ".pachignore").string() + ":2");
  EXPECT_TRUE(fault.what.starts_with("\"[\": ")) << fault.what;
  write(".pachignore", "a\n<<<<<<< HEAD\nb\n=======\n>>>>>>> other\n");
  EXPECT_EQ(base::without_hint(decide(m_folder.path(), "x").error()),
            (m_folder.path() / ".pachignore").string() + ":2: a merge conflict is not resolved");
}

TEST_F(DecisionsTest, AFolderIsLeftOutWhereNoLaterLineTakesPartOfItBack) {
  const auto leaves_out_all = [](const std::string& lines, const std::string& folder) {
    const auto rules = IgnoreRules::parse(lines, "f").value();
    return rules.leaves_out_all(folder, rules.judge_folder(folder, rules.judge_top()));
  };
  EXPECT_TRUE(leaves_out_all("a/\n", "a"));
  EXPECT_FALSE(leaves_out_all("b/\n", "a"));
  EXPECT_FALSE(leaves_out_all("a/\n!a/x\n", "a"));
  EXPECT_FALSE(leaves_out_all("a/\n!a/\n", "a"));
  EXPECT_TRUE(leaves_out_all("!x\na/\n", "a"));
  // A '*' at the end matches all that is below.
  EXPECT_TRUE(leaves_out_all("a/*\n", "a"));
  EXPECT_TRUE(leaves_out_all("a*\n", "a"));
  EXPECT_FALSE(leaves_out_all("a/\\*\n", "a"));
  EXPECT_TRUE(leaves_out_all("a/\\\\*\n", "a/\\"));
  EXPECT_FALSE(leaves_out_all("a\n", "a"));
  EXPECT_FALSE(leaves_out_all("a/!(x)*\n", "a"));
}

TEST_F(DecisionsTest, ACommandSeesTheSource) {
  write("lib/a.sh", "#!/bin/sh\nexit\n");
  write("one", "only");
  write(".pachignore", "lib/b\n");
  write("lib/b", "");
  const auto view = view_of({.folder = m_folder.path()});
  EXPECT_EQ(view.files().value(), (std::vector<std::string>{".pachignore", "lib/a.sh", "one"}));
  for (const char* path : {"lib/a.sh", "lib", "one", "lib/b"}) EXPECT_TRUE(view.has(path)) << path;
  for (const char* path : {"lib/c", "one/x", "../", "nothing"}) EXPECT_FALSE(view.has(path)) << path;
  EXPECT_EQ(view.first_line("lib/a.sh"), "#!/bin/sh");
  EXPECT_EQ(view.first_line("one"), "only");
  EXPECT_EQ(view.first_line("none"), "");
  EXPECT_EQ(view.first_line("../x"), "");
  EXPECT_FALSE(view_of({.folder = m_folder.path() / "none"}).files());
}

TEST_F(DecisionsTest, FilesAreFoundByTheirWholePath) {
  const std::vector<SourceFile> files = {{"a/build.sh", ""}, {"b", ""}};
  EXPECT_TRUE(has_file(files, "b"));
  EXPECT_FALSE(has_file(files, "build.sh"));
  EXPECT_FALSE(has_file({}, "b"));
  EXPECT_FALSE(has_own_script(files));
  EXPECT_TRUE(has_own_script({{"build.sh", ""}}));
  EXPECT_TRUE(has_own_script({{"x", ""}, {"run.sh", ""}}));
}

TEST_F(DecisionsTest, DigestsAreOfPathsAndContents) {
  write("a", "1");
  write("b/c", "2");
  const auto digests = file_digests(list_source(m_folder.path()).value()).value();
  EXPECT_EQ(digests,
            (std::map<std::string, std::string>{{"a", base::sha256("1")}, {"b/c", base::sha256("2")}}));
  const auto digest = source_digest(digests);
  for (const auto& other : std::vector<std::map<std::string, std::string>>{
           {},
           {{"a", base::sha256("1")}},
           {{"a", base::sha256("2")}, {"b/c", base::sha256("2")}},
           {{"a", base::sha256("1")}, {"b/d", base::sha256("2")}}})
    EXPECT_NE(source_digest(other), digest);
  EXPECT_FALSE(file_digests({{"x", m_folder.path() / "none"}}));
}

TEST_F(DecisionsTest, EmptyFoldersAreTold) {
  write("full/a", "");
  for (const char* name : {"z/empty", "a", "y/__pycache__"})
    ASSERT_TRUE(base::make_folders(m_folder.path() / name));
  EXPECT_EQ(read_source(m_folder.path()).value().empty_folders, (std::vector<std::string>{"a/", "z/empty/"}));
}

TEST_F(DecisionsTest, AFileOfTheLargestSizeIsTaken) {
  write("a", "12345");
  EXPECT_TRUE(read_source(m_folder.path(), 5));
  const auto fault = read_source(m_folder.path(), 4).error();
  EXPECT_EQ(fault.where, (m_folder.path() / "a").string());
  EXPECT_EQ(fault.what, "is 5 B; the limit is 4 B");
  EXPECT_EQ(fault.hint, "list it in .pachignore, or raise --max-file-size");
  write("b", "12345");
  EXPECT_EQ(read_source(m_folder.path(), 4).error().more.size(), 1U) << "each is told";
}

// git is a script here, which notes that it was called.
class RevisionFile : public DecisionsTest {
 protected:
  RevisionFile() {
    const char* const path = std::getenv("PATH");
    if (path != nullptr) m_path = path;
    EXPECT_TRUE(base::make_folders(m_bin.path()));
    ::setenv("PATH", m_bin.path().c_str(), 1);
  }
  ~RevisionFile() override { ::setenv("PATH", m_path.c_str(), 1); }

  std::string add() {
    auto source = read_source(m_folder.path()).value();
    const auto warning = add_revision(m_folder.path(), source);
    if (!warning) return "fails";
    std::string told = *warning;
    for (const auto& file : source.files) told += (told.empty() ? "" : " ") + file.path;
    return told;
  }
  base::TemporaryFolder m_bin = base::TemporaryFolder::make(testing::TempDir(), "bin.").value();
  std::string m_path;
  const std::string m_asks = "[tool.setuptools_scm]\n[build-system]\nrequires = [\"setuptools_scm\"]\n";
};

TEST_F(RevisionFile, IsOnlyMissedWhereABuildAsksGitInARepository) {
  const std::string missing =
      "the build makes a version from git, and git is not on PATH: install git, or add ";
  write("pyproject.toml", m_asks);
  EXPECT_EQ(add(), "pyproject.toml") << "there is no repository";
  ASSERT_TRUE(base::make_folders(m_folder.path() / ".git"));
  EXPECT_EQ(add(), "pyproject.toml") << "that is no repository";
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".git/objects/x", "");
  const auto told = add();
  EXPECT_TRUE(told.starts_with(missing)) << told;
  const std::string name = ".pachbuild-revision";
  EXPECT_EQ(told, missing + name + " to .pachignore pyproject.toml");
  // The person's own file counts, and one that is ignored is none.
  write(".pachignore", name + "\n");
  EXPECT_EQ(add(), ".pachignore pyproject.toml");
  base::fs::remove(m_folder.path() / ".pachignore");
  write(name, "");
  EXPECT_EQ(add().find(missing), std::string::npos);
  base::fs::remove(m_folder.path() / name);
  write("pyproject.toml", "[project]\nname = \"x\"\n");
  EXPECT_EQ(add(), "pyproject.toml");
  for (const std::string other : {"other.toml", "sub.py"}) {
    write(other, m_asks);
    EXPECT_EQ(add().find(missing), std::string::npos) << other;
  }
  for (const std::string asking : {"setup.py", "setup.cfg", "sub/pyproject.toml"}) {
    write(asking, "setuptools_scm");
    EXPECT_TRUE(add().starts_with(missing)) << asking;
    base::fs::remove(m_folder.path() / asking);
  }
  // A branch without a commit has no version.
  ASSERT_TRUE(base::write_file(m_bin.path() / "git", "#!/bin/sh\n", 0755));
  write("pyproject.toml", m_asks);
  EXPECT_EQ(add(), "other.toml pyproject.toml sub.py");
}

}  // namespace
}  // namespace source
