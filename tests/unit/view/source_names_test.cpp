// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/source_names.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <string>

#include "base/files.h"
#include "pachbuild/view/log_lines.h"

namespace view {
namespace {

class SourceNamesTest : public testing::Test {
 protected:
  SourceNamesTest() {
    EXPECT_TRUE(base::make_folders(source() / "inner"));
    EXPECT_TRUE(base::write_file(source() / "go.mod", "// mine\nmodule example.com/tool // so\n\ngo 1.22\n"));
    EXPECT_TRUE(base::write_file(source() / "main.go", ""));
    EXPECT_TRUE(base::write_file(source() / "inner/inner.go", ""));
  }
  [[nodiscard]] base::fs::path source() const { return m_folder.path() / "source"; }
  [[nodiscard]] SourceNames names(bool links = false) const { return {source(), m_folder.path(), links}; }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "source-names-").value();
};

TEST_F(SourceNamesTest, PathsOfTheProgramBecomeThePersons) {
  const std::string scratch = "/pfs/.scratch/" + std::string(64, 'a');
  EXPECT_EQ(names().in_text("  File \"/pfs/source/a/b.py\", line 3\n"), "  File \"source/a/b.py\", line 3\n");
  EXPECT_EQ(names().in_text(scratch + "/source/main.py:12: bad"), "source/main.py:12: bad");
  EXPECT_EQ(names().in_text(scratch + "/out/x"), "/pfs/out/x");
  EXPECT_EQ(names().in_text("error: /pfs/source: is empty"), "error: source: is empty");
  EXPECT_EQ(names().in_text("\x1b[1m/pfs/source/x.py\x1b[0m"), "\x1b[1msource/x.py\x1b[0m");
}

TEST_F(SourceNamesTest, PathsOfGoBecomeThePersons) {
  EXPECT_EQ(names().in_text("\texample.com/tool/inner/inner.go:2 +0x1d\n"),
            "\tsource/inner/inner.go:2 +0x1d\n");
  EXPECT_EQ(names().in_text("./main.go:3:2: undefined: x\n"), "source/main.go:3:2: undefined: x\n");
  EXPECT_EQ(names().in_text("inner/inner.go:3:2: x\n"), "source/inner/inner.go:3:2: x\n");
}

TEST_F(SourceNamesTest, PathsInAnEnvironmentBecomeThePersons) {
  const auto environment = m_folder.path() / "cache/env" / std::string(64, 'a');
  ASSERT_TRUE(base::make_folders(environment / "bin"));
  ASSERT_TRUE(base::write_file(source() / "count", "echo\n"));
  ASSERT_TRUE(base::write_file(source() / "other", "echo\n"));
  ASSERT_TRUE(base::write_file(environment / "bin/count", "echo\n"));
  ASSERT_TRUE(base::write_file(environment / "bin/other", "not a copy\n"));
  const std::string whole = environment.string();
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"File \"" + whole + "/source/inner/inner.go\", line 2", "File \"source/inner/inner.go\", line 2"},
           {"/any/env/" + std::string(64, 'b') + "/source/main.go:3", "source/main.go:3"},
           {"/env/env/" + std::string(64, 'b') + "/source/main.go", "source/main.go"},
           {whole + "/bin/count: 3: x: not found", "source/count: 3: x: not found"}})
    EXPECT_EQ(names().in_text(text), shown) << text;
  for (const std::string& text :
       {whole + "/source/gone.go", whole + "/source/", whole + "/source/../source/main.go",
        whole + "/bin/other", whole + "/bin/main.go", whole + "/lib/main.go", whole + "b/source/main.go",
        "env/" + whole.substr(1), "/env/" + std::string(63, 'b') + "/source/main.go"})
    EXPECT_EQ(names().in_text(text), text);
}

TEST_F(SourceNamesTest, EverythingElseStays) {
  for (const std::string text : {"/pfs/sources/a.py", "x/pfs/source/a", "/pfs/.scratch/abc/source/a",
                                 "other.go:3:2: x", "runtime/panic.go:770", "/usr/lib/go/main.go:3",
                                 "main.go: no line", "", "\n\n", "a\nb", "../main.go:3"}) {
    EXPECT_EQ(names().in_text(text), text);
  }
  EXPECT_EQ(SourceNames().in_text("/pfs/source/a"), "/pfs/source/a");
}

TEST_F(SourceNamesTest, LinksLeadToFilesThatAreThere) {
  const auto text = names(true).in_text("/pfs/source/main.go:3: x /pfs/source/gone.go:4");
  EXPECT_NE(text.find(source().string() + "/main.go\x1b\\source/main.go:3\x1b]8;;\x1b\\: x source/gone.go:4"),
            std::string::npos)
      << text;
}

TEST(LogLines, WholeLinesInTheirOrder) {
  LogLines lines;
  EXPECT_EQ(lines.add("a", "one\ntw"), "one\n");
  EXPECT_EQ(lines.add("b", "other"), "");
  EXPECT_EQ(lines.add("a", "o\nthree"), "two\n");
  EXPECT_EQ(lines.finish("a"), "three\n");
  EXPECT_EQ(lines.finish("a"), "");
  EXPECT_EQ(lines.finish("b"), "other\n");
}

TEST(LogLines, ALineWithoutEndComesInParts) {
  LogLines lines;
  std::size_t given = 0;
  for (int i = 0; i < 1000; ++i) given += lines.add("a", std::string(1000, 'x')).size();
  EXPECT_GT(given, 900'000U);
  EXPECT_LT(lines.finish("a").size(), 20'000U);
}

TEST(LogLines, EachLineIsLed) {
  EXPECT_EQ(led_by("a | ", "one\n\ntwo\n"), "a | one\na | \na | two\n");
  EXPECT_EQ(led_by("a | ", ""), "");
}

TEST_F(SourceNamesTest, TheShorterWayToTheSourceIsShown) {
  const auto seen = [&](const base::fs::path& folder, const base::fs::path& current) {
    return SourceNames(folder, current, false).in_text("/pfs/source/a.py:1 /pfs/source");
  };
  const std::string whole = m_folder.path().string();
  EXPECT_EQ(seen(source(), source()), "a.py:1 .");
  EXPECT_EQ(seen(source(), source() / "inner"), "../a.py:1 ..");
  EXPECT_EQ(seen(m_folder.path(), "/"), whole.substr(1) + "/a.py:1 " + whole.substr(1));
  // From far away the whole path is shorter.
  EXPECT_EQ(seen(source(), "/a/b/c/d/e/f/g/h/i/j/k/l/m/n"), whole + "/source/a.py:1 " + whole + "/source");
}

TEST_F(SourceNamesTest, PlacesFollowPaths) {
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"/pfs/source/a:1:22: x", "source/a:1:22: x"},
           {"/pfs/source/a:", "source/a:"},
           {"/pfs/source/a:x", "source/a:x"},
           {"/pfs/source/a:9", "source/a:9"},
           {"(/pfs/source/a)", "(source/a)"},
           {"a=/pfs/source/a,/pfs/source/b", "a=source/a,source/b"},
           {"x./pfs/source/a", "x./pfs/source/a"},
           {"/pfs/source", "source"},
           {"/pfs/source/", "source"},
           {"main.go:0: x", "source/main.go:0: x"},
           {"./main.go:9", "source/main.go:9"},
           {"example.com/tool/main.go:3", "source/main.go:3"},
           {"example.com/tools/main.go:3", "example.com/tools/main.go:3"},
           {"main.go:x", "main.go:x"},
           {"main.go", "main.go"},
           {"inner:3", "inner:3"},
           {"\x1b[1;31mmain.go:3", "\x1b[1;31msource/main.go:3"},
           {"x\x1b[31m/pfs/source/a", "x\x1b[31msource/a"},
           {"\x1b[31xmain.go:3", "\x1b[31xmain.go:3"},
           {"\x1b[", "\x1b["},
           {"/pfs/source/a\n/pfs/source/b\n", "source/a\nsource/b\n"},
           {"/pfs/source/a\n\nx main.go:1", "source/a\n\nx source/main.go:1"}})
    EXPECT_EQ(names().in_text(text), shown) << text;
}

TEST_F(SourceNamesTest, ScratchIsThatOfADatum) {
  const std::string id(64, 'a');
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"/pfs/.scratch/" + id + "/source/a", "source/a"},
           {"/pfs/.scratch/" + id + "/in/a /pfs/.scratch/" + id + "/out/b", "/pfs/in/a /pfs/out/b"},
           {"/pfs/.scratch/" + id, "/pfs/.scratch/" + id},
           {"/pfs/.scratch/" + id + "b/source/a", "/pfs/.scratch/" + id + "b/source/a"},
           {"/pfs/.scratch/" + std::string(63, 'a') + "/source/a",
            "/pfs/.scratch/" + std::string(63, 'a') + "/source/a"},
           {"/pfs/.scratch/" + std::string(64, 'x') + "/out",
            "/pfs/.scratch/" + std::string(64, 'x') + "/out"}})
    EXPECT_EQ(names().in_text(text), shown) << text;
}

TEST_F(SourceNamesTest, WithoutAModuleOnlyFilesOfTheSourceCount) {
  for (const std::string text : {"", "module\n", "modules x\n", "go 1.22\n"}) {
    ASSERT_TRUE(base::write_file(source() / "go.mod", text));
    EXPECT_EQ(names().in_text("main.go:3 example.com/tool/main.go:3"),
              "source/main.go:3 example.com/tool/main.go:3");
  }
  base::fs::remove(source() / "go.mod");
  EXPECT_EQ(names().in_text("main.go:3 x"), "source/main.go:3 x");
}

TEST(LogLines, ALineHas16KiBAtMost) {
  LogLines lines;
  EXPECT_EQ(lines.add("a", std::string(16'383, 'x')), "");
  EXPECT_EQ(lines.add("a", "y"), std::string(16'383, 'x') + "y\n");
  EXPECT_EQ(lines.finish("a"), "");
  EXPECT_EQ(lines.add("a", "\n"), "\n");
  EXPECT_EQ(lines.add("a", "1\n2\n3"), "1\n2\n");
  EXPECT_EQ(lines.add("a", "\n"), "3\n");
}

TEST(LogLines, WithoutAnEndAreLedToo) {
  EXPECT_EQ(led_by("> ", "a\nb"), "> a\n> b");
  EXPECT_EQ(led_by("> ", "\n"), "> \n");
}

}  // namespace
}  // namespace view
