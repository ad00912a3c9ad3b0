// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/left_out.h"

#include <gtest/gtest.h>

namespace commands {
namespace {

using Paths = std::vector<std::string>;

TEST(LeftOut, IsCounted) {
  EXPECT_EQ(left_out_line("src", {}), "");
  EXPECT_EQ(left_out_line("src", {"a"}),
            "left out of the source (src) by .gitignore: 1 file (pachbuild ignored lists it)");
  EXPECT_EQ(left_out_line("src", {"a/"}),
            "left out of the source (src) by .gitignore: 1 folder (pachbuild ignored lists it)");
  EXPECT_EQ(left_out_line("src", {"a", "b"}),
            "left out of the source (src) by .gitignore: 2 files (pachbuild ignored lists them)");
  EXPECT_EQ(left_out_line("src", {"a/", "b", "c/"}),
            "left out of the source (src) by .gitignore: 1 file, 2 folders (pachbuild ignored lists them)");
}

TEST(LeftOut, IsMissedByWhatIsPrinted) {
  struct Row {
    std::string path;
    Paths missed;
    Paths others;
  };
  const std::vector<Row> rows = {
      {"gen.py",
       {"ModuleNotFoundError: No module named 'gen'", "x\nNo module named 'no'\nNo module named 'gen'\n",
        "ImportError: cannot import name 'gen' from 'pkg'", "can't open file '/pfs/source/gen.py'"},
       {"No module named 'gene'", "No module named 'n'", "No module named 'ge'", "No module named gen",
        "cannot import name 'ge'", "No module named ''", "/pfs/out/gen.py", ""}},
      {"src/pkg/x_pb2.py",
       {"No module named 'pkg.x_pb2'", "No module named 'x_pb2'", "No module named 'src.pkg.x_pb2'",
        "cannot import name 'x_pb2' from 'pkg' (/pfs/source/src/pkg/__init__.py)"},
       {"No module named 'pkg'", "No module named 'g.x_pb2'", "cannot import name 'pkg'"}},
      {"gen/",
       {"No module named 'gen'", "open /pfs/source/gen/x: no such file",
        "main.go:5:2: no required module provides package example.com/m/gen; to add it:",
        "main.go:5:2: package example.com/m/gen is not in std", "package example.com/m/gen, imported:"},
       {"No module named 'gen.sub'", "/pfs/source/gen", "package example.com/m/gene", "package gen",
        "see a/gen", "package example.com/m/regen"}},
      {"a/gen/", {"package example.com/a/gen is not in std"}, {"package example.com/gen is not in std"}},
      {"gen/x.go", {"no Go files: package example.com/m/gen"}, {"No module named 'gen'"}},
      {"x.go", {}, {"package example.com/x.go", "package example.com/ is"}},
      {"gen/x.txt", {"/pfs/source/gen/x.txt"}, {"package example.com/m/gen", "No module named 'gen.x'"}},
  };
  for (const auto& [path, missed, others] : rows) {
    for (const auto& log : missed) EXPECT_EQ(missed_path({"other", path}, log), path) << path << ": " << log;
    for (const auto& log : others) EXPECT_EQ(missed_path({path}, log), std::nullopt) << path << ": " << log;
  }
  EXPECT_EQ(missed_path({}, "No module named 'a'"), std::nullopt);
  EXPECT_EQ(missed_path({"b.py", "a.py"}, "No module named 'a'\nNo module named 'b'"), "b.py");
}

TEST(LeftOut, IsMissedByImportsThatTheBuildHasWarnedOf) {
  const Paths paths = {"conf.py", "data/", "lib/", "src/pkg/gen.py", "x.txt"};
  EXPECT_EQ(
      missed_imports(paths,
                     "warning: main.py:1: imports lib, which is not installed; add lib to "
                     "requirements.txt\nwarning: a.py:2: imports pkg.gen, which is not in the source; if\n"
                     "warning: main.py:2: imports conf, which is not installed; add conf\n"),
      (Paths{"conf.py", "lib/", "src/pkg/gen.py"}));
  EXPECT_EQ(missed_imports(paths, "main.py:1: imports data, which only this image provides"), Paths());
  EXPECT_EQ(missed_imports(paths, "No module named 'lib'"), Paths());
  EXPECT_EQ(missed_imports({}, ": imports lib, which is not installed"), Paths());
}

TEST(LeftOut, IsTakenBackByALine) {
  EXPECT_EQ(
      missed_line("src", "gen/"),
      "gen/ is left out of the source (src) by .gitignore; if the program needs it, add the line !gen/ to "
      "src/.pachignore");
  EXPECT_EQ(
      missed_line(".", "x.py"),
      "x.py is left out of the source (.) by .gitignore; if the program needs it, add the line !x.py to "
      ".pachignore");
}

}  // namespace
}  // namespace commands
