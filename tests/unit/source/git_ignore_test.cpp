// SPDX-License-Identifier: Apache-2.0
// What .gitignore files, defaults and .pachignore lines make of a source together.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "pachbuild/source/ignore.h"
#include "pachbuild/source/source.h"

namespace source {
namespace {

namespace fs = base::fs;
using Paths = std::vector<std::string>;

// An index of git with these files.
std::string index_of(const Paths& paths) {
  std::string text = "DIRC" + std::string("\0\0\0\2\0\0\0", 7) + static_cast<char>(paths.size());
  for (const auto& path : paths) {
    std::string entry(62, '\0');
    entry += path + '\0';
    entry.resize((entry.size() + 7) / 8 * 8);
    text += entry;
  }
  return text;
}

class GitIgnored : public testing::Test {
 protected:
  GitIgnored() { EXPECT_TRUE(base::make_folders(root())); }
  [[nodiscard]] fs::path top() const { return m_folder.path(); }
  [[nodiscard]] fs::path root() const { return m_folder.path() / "src"; }

  void write(const std::string& path, const std::string& text = "x") const {
    EXPECT_TRUE(base::make_folders((root() / path).parent_path()));
    EXPECT_TRUE(base::write_file(root() / path, text));
  }
  void write_all(const Paths& paths) const {
    for (const auto& path : paths) write(path);
  }
  // Makes the folder above the source a repository.
  void make_repository(const Paths& tracked = {}) const {
    EXPECT_TRUE(base::make_folders(top() / ".git/objects"));
    EXPECT_TRUE(base::write_file(top() / ".git/HEAD", "ref: refs/heads/main\n"));
    EXPECT_TRUE(base::write_file(top() / ".git/index", index_of(tracked)));
  }
  // The paths that come along, without ignore files.
  [[nodiscard]] Paths paths(const std::vector<fs::path>& data = {}) const {
    const auto source = read_source(root(), k_largest_file, data);
    if (!source) return {base::format_error(source.error())};
    Paths all;
    for (const auto& file : source->files) {
      const auto name = fs::path(file.path).filename();
      if (name != ".gitignore" && name != ".pachignore") all.push_back(file.path);
    }
    return all;
  }
  // "out .gitignore:3 *.csv"
  [[nodiscard]] std::string told(const std::string& path, const std::vector<fs::path>& data = {}) const {
    const auto decision = decide(root(), path, data);
    if (!decision) return base::format_error(decision.error());
    std::string text = decision->is_left_out ? "out" : "in";
    if (decision->is_tracked) text += " tracked";
    if (!decision->rule.empty())
      text += " " +
              (decision->file.empty() ? "" : decision->file + ":" + std::to_string(decision->line) + " ") +
              decision->rule;
    return text;
  }
  // Each that stays behind, with what decides.
  [[nodiscard]] Paths left_out(const std::vector<fs::path>& data = {}) const {
    Paths all;
    const auto listed = list_left_out(root(), data).value();
    for (const auto& [path, why] : listed) {
      EXPECT_TRUE(why.is_left_out);
      all.push_back(path + " " + (why.file.empty() ? "" : why.file + ":" + std::to_string(why.line) + " ") +
                    why.rule);
    }
    return all;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "git-ignored.").value();
};

TEST(GitIgnoreLines, AreReadAsGitReadsThem) {
  const auto lines = GitIgnore::parse(
      "\xEF\xBB\xBF"
      "a  \n\n# c\n\\#d\n!e/\r\n  \n/f\ng/h\nb\\ \nb\\  \\ x \n!\n/\n//\n!/\nx[\n\\!y\ntab\t\nz\\");
  std::vector<std::string> told;
  for (const auto& line : lines) {
    told.push_back(std::to_string(line.number) + (line.takes_back ? " back" : "") +
                   (line.folders_only ? " folder" : "") + (line.of_names ? " name" : "") + " <" +
                   line.glob.pattern() + "> " + line.text);
  }
  EXPECT_EQ(told, (Paths{"1 name <a> a", "4 name <\\#d> \\#d", "5 back folder name <e> !e/", "7 <f> /f",
                         "8 <g/h> g/h", "9 name <b\\ > b\\ ", "10 name <b\\  \\ x> b\\  \\ x",
                         "16 name <\\!y> \\!y", "17 name <tab\t> tab\t"}));
  const auto cut = GitIgnore::parse(std::string("a\0b\n", 4));
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0].glob.pattern(), "a");
}

TEST_F(GitIgnored, FilesStayBehindWithTheirLine) {
  write_all({"a.csv", "b.py", "data/c.csv", "data/d.py", "out/x", "keep/e.csv"});
  write(".gitignore", "*.csv\n# none\nout/\n!/keep/e.csv\n");
  EXPECT_EQ(paths(), (Paths{"b.py", "data/d.py", "keep/e.csv"}));
  EXPECT_EQ(left_out(),
            (Paths{"a.csv .gitignore:1 *.csv", "data/c.csv .gitignore:1 *.csv", "out/ .gitignore:3 out/"}));
  EXPECT_EQ(told("out/x"), "out .gitignore:3 out/");
  EXPECT_EQ(told("out/y/z"), "out .gitignore:3 out/");
  EXPECT_EQ(told("out"), "in") << "a file of that name";
  EXPECT_EQ(told("keep/e.csv"), "in");
  const auto source = read_source(root()).value();
  EXPECT_EQ(left_out_by_git(source), (Paths{"a.csv", "data/c.csv", "out/"}));
  EXPECT_TRUE(source.empty_folders.empty());
}

TEST_F(GitIgnored, TheNearestFileCountsFirstAndNothingBelowAFolderThatIsLeftOut) {
  write_all({"a/x.log", "a/b/x.log", "a/b/y.log", "c/x.log", "d/e/f"});
  write(".gitignore", "*.log\n/d/e/\n");
  write("a/.gitignore", "!x.log\n");
  write("a/b/.gitignore", "/x.log\n!y.log\n");
  write("d/.gitignore", "!e/f\n");
  EXPECT_EQ(paths(), (Paths{"a/b/y.log", "a/x.log"}));
  EXPECT_EQ(told("a/b/x.log"), "out a/b/.gitignore:1 /x.log");
  EXPECT_EQ(told("c/x.log"), "out .gitignore:1 *.log");
  EXPECT_EQ(told("d/e/f"), "out .gitignore:2 /d/e/");
  EXPECT_EQ(told("a/c/x.log"), "in") << "in a folder that does not exist";
}

TEST_F(GitIgnored, AFileThatIsNoneIsNotRead) {
  write_all({"a", "sub/b"});
  EXPECT_TRUE(base::make_folders(root() / ".gitignore"));
  EXPECT_EQ(paths(), (Paths{"a", "sub/b"}));
  write("lines", "*\n");
  ASSERT_EQ(::symlink("../lines", (root() / "sub/.gitignore").c_str()), 0);
  EXPECT_EQ(told("sub/b"), "in") << "git follows no link";
}

TEST_F(GitIgnored, FilesAboveCountUpToTheTopOfTheRepository) {
  write_all({"a.log", "b", "c"});
  EXPECT_TRUE(base::write_file(top() / ".gitignore", "*.log\n/src/b\n/c\n"));
  EXPECT_EQ(paths(), (Paths{"a.log", "b", "c"})) << "no repository";
  make_repository();
  EXPECT_EQ(paths(), Paths{"c"});
  EXPECT_EQ(told("a.log"), "out ../.gitignore:1 *.log");
  EXPECT_EQ(told("b"), "out ../.gitignore:2 /src/b");
  // The source's own comes first.
  write(".gitignore", "!a.log\nc\n");
  EXPECT_EQ(paths(), Paths{"a.log"});
}

TEST_F(GitIgnored, FilesAboveDoNotCountWhereTheyLeaveOutTheSourceItself) {
  write_all({"a.log", "b"});
  make_repository();
  for (const std::string lines : {"src/\n*.log\n", "*\n", "/src\n*.log\n"}) {
    EXPECT_TRUE(base::write_file(top() / ".gitignore", lines));
    EXPECT_EQ(paths(), (Paths{"a.log", "b"})) << lines;
  }
  write(".gitignore", "*.log\n");
  EXPECT_EQ(paths(), Paths{"b"});
  EXPECT_TRUE(base::write_file(top() / ".gitignore", "src/\n!src/\nb\n"));
  EXPECT_EQ(paths(), Paths{}) << "taken back";
}

TEST_F(GitIgnored, WhatGitTracksIsSourceAllTheSame) {
  write_all({"a.csv", "b.csv", "gen/x.go", "gen/y.go", "gen/z/w", "other/v", "gen.txt"});
  write(".gitignore", "*.csv\ngen/\nother/\n");
  make_repository({"src/a.csv", "src/gen/x.go", "src/gen.txt"});
  EXPECT_EQ(paths(), (Paths{"a.csv", "gen.txt", "gen/x.go"}));
  EXPECT_EQ(told("a.csv"), "in tracked .gitignore:1 *.csv");
  EXPECT_EQ(told("gen/x.go"), "in tracked .gitignore:2 gen/");
  EXPECT_EQ(told("gen/y.go"), "out .gitignore:2 gen/");
  EXPECT_EQ(told("gen.txt"), "in");
  EXPECT_EQ(left_out(), (Paths{"b.csv .gitignore:1 *.csv", "gen/y.go .gitignore:2 gen/",
                               "gen/z/ .gitignore:2 gen/", "other/ .gitignore:3 other/"}));
}

TEST_F(GitIgnored, LinesOfPachignoreCountBeforeThem) {
  write_all({"a.csv", "b.csv", "dist/x", "dist/y/z", "build/p", "build/q"});
  write(".gitignore", "*.csv\ndist/\nbuild/\n");
  write(".pachignore", "!a.csv\n!dist/\n!build/p\n");
  EXPECT_EQ(paths(), (Paths{"a.csv", "build/p", "dist/x", "dist/y/z"}));
  EXPECT_EQ(told("a.csv"), "in .pachignore:1 !a.csv");
  EXPECT_EQ(told("dist/y/z"), "in .pachignore:2 !dist/");
  EXPECT_EQ(told("build/p"), "in .pachignore:3 !build/p");
  EXPECT_EQ(told("build/q"), "out .gitignore:3 build/");
  write(".pachignore", "!*.csv\nb.csv\n");
  EXPECT_EQ(paths(), Paths{"a.csv"});
  EXPECT_EQ(told("b.csv"), "out .pachignore:2 b.csv");
}

TEST_F(GitIgnored, AFolderThatIsLeftOutByDefaultIsLookedIntoForItsOwnNameOnly) {
  write_all({"a.csv", ".venv/lib/p/t.csv", ".venv/lib/mine.py", "gen/u.csv", "gen/v"});
  write(".gitignore", "gen/\n*.csv\n");
  write(".pachignore", "!*.csv\n");
  EXPECT_EQ(paths(), Paths{"a.csv"});
  EXPECT_EQ(left_out(), (Paths{".venv/ {,*/}.venv/", "gen/ .gitignore:1 gen/"})) << "they are not even read";
  write(".pachignore", "!.venv/lib/mine*\n!gen/*.csv\n");
  EXPECT_EQ(paths(), (Paths{".venv/lib/mine.py", "gen/u.csv"}));
  EXPECT_EQ(told(".venv/lib/p/t.csv"), "out {,*/}.venv/");
  EXPECT_EQ(left_out(),
            (Paths{".venv/lib/p/ {,*/}.venv/", "a.csv .gitignore:2 *.csv", "gen/v .gitignore:1 gen/"}));
  // What a person has left out is looked into for every line that can match there.
  write(".pachignore", "gen/\n!*.csv\n");
  EXPECT_EQ(paths(), (Paths{"a.csv", "gen/u.csv"}));
}

TEST_F(GitIgnored, FoldersThatToolsMakeStayBehind) {
  const std::string signature = "Signature: 8a477f597d28d172789f06886806bc55";
  write_all({"main.py", ".venv/a", "x/.venv/a", ".pytest_cache/a", "x/.mypy_cache/a", ".ruff_cache/a",
             "web/node_modules/a", "__pycache__/a", ".git/HEAD", "venv.txt", "node_modules.py"});
  write("cache/CACHEDIR.TAG", signature + "\n# made by a tool\n");
  write("cache/a/b");
  write("not/CACHEDIR.TAG", "Signature: another");
  write("envs/one/pyvenv.cfg", "home = /usr/bin\n");
  write("envs/one/bin/x");
  write("result/.pachbuild/output.json", "{}");
  write("result/a.txt");
  write("rust/Cargo.toml");
  write("rust/target/debug/a");
  write("java/pom.xml");
  write("java/target/a.jar");
  write("target/a");
  EXPECT_EQ(paths(), (Paths{"java/pom.xml", "main.py", "node_modules.py", "not/CACHEDIR.TAG",
                            "rust/Cargo.toml", "target/a", "venv.txt"}));
  EXPECT_EQ(told("cache/a/b"), "out a cache: it has CACHEDIR.TAG");
  EXPECT_EQ(told("envs/one/bin/x"), "out a virtual environment: it has pyvenv.cfg");
  EXPECT_EQ(told("result/a.txt"), "out output of a pipeline: it has .pachbuild");
  EXPECT_EQ(told("rust/target/debug/a"), "out output of a build: Cargo.toml is beside it");
  EXPECT_EQ(told("java/target/a.jar"), "out output of a build: pom.xml is beside it");
  EXPECT_EQ(told("x/.mypy_cache/a"), "out {,*/}.mypy_cache/");
  EXPECT_EQ(told(".ruff_cache/a"), "out {,*/}.ruff_cache/");
  EXPECT_EQ(told("web/node_modules/a"), "out {,*/}node_modules/");
  // A line takes any of them back.
  write(".pachignore", "!cache/\n!rust/target/\n!{,*/}node_modules/\n!envs/one/bin/\n");
  EXPECT_EQ(told("cache/a/b"), "in .pachignore:1 !cache/");
  EXPECT_EQ(told("rust/target/debug/a"), "in .pachignore:2 !rust/target/");
  EXPECT_EQ(told("web/node_modules/a"), "in .pachignore:3 !{,*/}node_modules/");
  EXPECT_EQ(told("envs/one/bin/x"), "in .pachignore:4 !envs/one/bin/");
  EXPECT_EQ(told("envs/one/pyvenv.cfg"), "out a virtual environment: it has pyvenv.cfg");
}

TEST_F(GitIgnored, DataIsNoSourceWhateverALineSays) {
  write_all({"a", "data/texts/b", "data/c", "out/d"});
  const std::vector<fs::path> data = {root() / "data/texts", root() / "out/", top(), root(), "/nowhere"};
  EXPECT_EQ(paths(data), (Paths{"a", "data/c"}));
  EXPECT_EQ(told("data/texts/b", data), "out data of the pipeline");
  EXPECT_EQ(left_out(data), (Paths{"data/texts/ data of the pipeline", "out/ data of the pipeline"}));
  write(".pachignore", "!data/*\n!*b\n");
  EXPECT_EQ(paths(data), (Paths{"a", "data/c"}));
  // By a link as well.
  ASSERT_EQ(::symlink("src/data/texts", (top() / "link").c_str()), 0);
  EXPECT_EQ(paths({top() / "link"}), (Paths{"a", "data/c", "out/d"}));
}

TEST_F(GitIgnored, ASourceWithoutAFileSaysWhy) {
  write(".gitignore", "*\n");
  write("a");
  const auto fault = read_source(root()).error();
  EXPECT_EQ(fault.what, "has no source files");
  EXPECT_EQ(
      fault.hint,
      "a .gitignore leaves files out: pachbuild ignored lists them, and .pachignore takes them back (!NAME)");
  write(".gitignore", "");
  write(".pachignore", "a\n.*\n");
  EXPECT_EQ(read_source(root()).error().hint, "pachbuild ignored lists what is left out");
}

TEST_F(GitIgnored, AConversionOfAnImageAsksNoGit) {
  write_all({"a.csv", "b", ".venv/c"});
  write(".gitignore", "*.csv\n");
  const Exclusion exclusion = {.of_file = [](const std::string& path) { return path == "b"; },
                               .of_folder = {}};
  const auto source = read_source(root(), exclusion).value();
  Paths all;
  for (const auto& file : source.files) all.push_back(file.path);
  EXPECT_EQ(all, (Paths{".gitignore", "a.csv"}));
}

}  // namespace
}  // namespace source
