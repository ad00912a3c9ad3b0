// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/module.h"

#include <gtest/gtest.h>

namespace builder::go {
namespace {

TEST(PackageClause, IsFoundBehindComments) {
  EXPECT_EQ(package_clause("package main"), "main");
  EXPECT_EQ(
      package_clause("\xEF\xBB\xBF// package a\n/* package b */\n\npackage /* c */ main; import \"x\"\n"),
      "main");
  EXPECT_EQ(package_clause("//go:build ignore\n\npackage main// tail\n"), "main");
}

TEST(PackageClause, IsEmptyWhereThereIsNone) {
  EXPECT_EQ(package_clause(""), "");
  EXPECT_EQ(package_clause("/* never closed"), "");
  EXPECT_EQ(package_clause("func main() {}"), "");
}

TEST(ModulePath, IsReadFromItsLine) {
  EXPECT_EQ(module_path("// a comment\nmodule example.com/a // tail\n\ngo 1.21\n"), "example.com/a");
  EXPECT_EQ(module_path("module \"example.com/a\"\n"), "example.com/a");
  EXPECT_EQ(module_path("module"), "");
  EXPECT_EQ(module_path("go 1.21\n"), "");
}

TEST(ReplacementOutside, FindsFoldersThatAreNotInTheSource) {
  EXPECT_EQ(replacement_outside("replace a => ../a\n"), "../a");
  EXPECT_EQ(replacement_outside("replace (\n\ta v1.0.0 => ./b/../../c\n)\n"), "./b/../../c");
  EXPECT_EQ(replacement_outside("replace a => \"../a\"\n"), "../a");
  EXPECT_EQ(replacement_outside("replace a => `/opt//a` // there\n"), "/opt//a");
  EXPECT_EQ(replacement_outside("replace \"x//y\" => ../a\n"), "../a");
  EXPECT_NE(replacement_outside("replace a => \"\\x2e./a\"\n"), "");
  EXPECT_EQ(replacement_outside("replace a => ../b\n", "app"), "");
  EXPECT_EQ(replacement_outside("replace a => ../../b\n", "app"), "../../b");
  EXPECT_EQ(replacement_outside("replace a => /opt/a"), "/opt/a");
}

TEST(ReplacementOutside, IsEmptyForTheOthers) {
  EXPECT_EQ(
      replacement_outside("replace a => ./a\nreplace b => c v1.0.0\n// replace d => ../d\nreplace e =>\n"),
      "");
}

TEST(GoFiles, AreNeitherTestsNorWhatGoIgnores) {
  for (const auto* name : {"b.go", "go.go", "a_linux.go"}) EXPECT_TRUE(is_go_file(name)) << name;
  for (const auto* name : {"a_test.go", "_c.go", ".d.go", "e.txt", "go", ".go", ""})
    EXPECT_FALSE(is_go_file(name)) << name;
}

TEST(GoModule, IgnoresFoldersAtItsRootOrAnywhere) {
  const std::string file = "module x\nignore ./a/b\nignore (\n\t\"c\"  // generated\n\td/e/\n)\nignored f\n";
  for (const std::string folder : {"a/b", "a/b/x", "c", "x/c", "x/c/y", "d/e", "x/d/e/y"}) {
    EXPECT_TRUE(is_ignored(file, folder)) << folder;
  }
  for (const std::string folder : {".", "a", "a/bb", "x/a/b", "cc", "d", "e", "f", "d f"}) {
    EXPECT_FALSE(is_ignored(file, folder)) << folder;
  }
}

}  // namespace
}  // namespace builder::go
