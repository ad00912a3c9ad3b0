// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>

#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/tree.h"

namespace builder::go {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Imports, AreReadInAllTheirForms) {
  EXPECT_THAT(imports_of("package x\nimport \"fmt\"\nimport (\n\t_ \"a/b\" // why\n\t. `c`; d \"d\"\n)\n/* "
                         "*/ import \"C\"\n"),
              ElementsAre("fmt", "a/b", "c", "d", "C"));
  EXPECT_THAT(imports_of("package main; import(\"one\";\"two\")\nvar x = `import \"three\"`"),
              ElementsAre("one", "two"));
}

TEST(Imports, OfWhatIsNotGoAreNone) {
  for (const auto* text :
       {"", "import \"a\"", "package x\nimport", "package x\nimport (", "package x\nimport \"a"}) {
    EXPECT_THAT(imports_of(text), IsEmpty()) << text;
  }
}

TEST(UseLines, AreReadInAllTheirForms) {
  EXPECT_THAT(
      use_targets("go 1.21\nuse ./a // one\nuse (\n\t./b\n\t\"./c d\"\n)\n// use ./e\nreplace x => ./y\n"),
      ElementsAre("./a", "./b", "./c d"));
  EXPECT_EQ(use_outside("use ./a\nuse ../b\n"), "../b");
  EXPECT_EQ(use_outside("use .\n"), "");
  EXPECT_EQ(use_outside("use ../b\n", "a"), "");
  EXPECT_EQ(use_outside("use ../../b\n", "a"), "../../b");
}

TEST(UseLines, AreTheSameInAnotherFolder) {
  EXPECT_EQ(
      with_absolute_paths(
          "go 1.21\n\nuse ./a // one\nuse (\n\t./b\n\t\"./c d\"\n\t.\n)\n\nreplace x.y/z => ./z\nreplace (\n"
          "\ta v1 => ../a\n\tb => c v2\n)\nreplace d v1 => d v2\n",
          "/s/t"),
      "go 1.21\n\nuse \"/s/t/a\"\nuse (\n\"/s/t/b\"\n\"/s/t/c d\"\n\"/s/t\"\n)\n\nreplace x.y/z => "
      "\"/s/t/z\"\nreplace (\n"
      "a v1 => \"/s/a\"\nb => c v2\n)\nreplace d v1 => d v2\n\n");
}

TEST(Modules, OfImportsAreTheOnesWithTheLongestPath) {
  const auto modules = required_modules(
      "module a\n\nrequire (\n\texample.com/b v1.0.0\n\texample.com/b/v2 v2.1.0 // indirect\n)\nrequire "
      "x.y/z v3\n");
  EXPECT_THAT(modules, testing::UnorderedElementsAre(testing::Pair("example.com/b", "v1.0.0"),
                                                     testing::Pair("example.com/b/v2", "v2.1.0"),
                                                     testing::Pair("x.y/z", "v3")));
  EXPECT_EQ(module_of(modules, "example.com/b/c"), "example.com/b");
  EXPECT_EQ(module_of(modules, "example.com/b/v2"), "example.com/b/v2");
  EXPECT_EQ(module_of(modules, "example.com/bc"), "");
}

TEST(ReadTree, SeesThePackagesOfTheSourceOnly) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "tree.").value();
  const auto write = [&](const std::string& name, const std::string& text) {
    const auto path = folder.path() / name;
    ASSERT_TRUE(base::make_folders(path.parent_path()));
    ASSERT_TRUE(base::write_file(path, text));
  };
  write("go.mod", "module example.com/a\n");
  write("main.go", "package main\nimport \"example.com/b\"\n");
  write("z_windows.go", "package main\nimport \"example.com/never\"\n");
  write("main_test.go", "package main\nimport \"example.com/never\"\n");
  write("c/c/c.go", "package c\nimport \"C\"\n");
  write("folder.go/text", "");
  write("other/go.mod", "module example.com/other\n");
  for (const auto* other : {"other/o.go", "other/below/o.go", "vendor/v.go", "testdata/t.go", ".h/h.go",
                            "_u/u.go", "node_modules/n.go"}) {
    write(other, "package other\n");
  }
  base::fs::create_symlink("c", folder.path() / "link");
  const auto tree = read_tree(folder.path(), standard_tags("amd64")).value();
  EXPECT_THAT(tree.modules, testing::UnorderedElementsAre(testing::Pair(".", "example.com/a"),
                                                          testing::Pair("other", "example.com/other")));
  std::map<std::string, const Package*> packages;
  for (const auto& package : tree.packages) packages[package.folder] = &package;
  ASSERT_EQ(packages.size(), 9U);
  EXPECT_EQ(packages["."]->name, "main");
  EXPECT_EQ(packages["."]->module, ".");
  EXPECT_THAT(packages["."]->imports, ElementsAre("example.com/b"));
  ASSERT_EQ(packages["."]->excluded.size(), 1U);
  EXPECT_EQ(packages["."]->excluded[0].name, "z_windows.go");
  EXPECT_EQ(packages["."]->excluded[0].package, "main");
  EXPECT_TRUE(packages["c/c"]->uses_c);
  EXPECT_EQ(packages["other/below"]->module, "other");
  for (const auto* hidden : {"vendor", "testdata", ".h", "_u", "node_modules"})
    EXPECT_TRUE(packages[hidden]->is_hidden);
  for (const auto* shown : {".", "c/c", "other", "other/below"}) EXPECT_FALSE(packages[shown]->is_hidden);
  EXPECT_THAT(foreign_imports(tree, "."), ElementsAre("example.com/b"));
  EXPECT_THAT(foreign_imports(tree, "other"), IsEmpty());

  write("go.work", "go 1.21\nuse (\n\t.\n\t./other/\n)\n");
  write("c/go.work", "use ../other\n");
  const auto workspace = read_tree(folder.path(), standard_tags("amd64")).value();
  EXPECT_THAT(workspace.workspaces.at("."), testing::UnorderedElementsAre(".", "other"));
  EXPECT_THAT(workspace.workspaces.at("c"), testing::UnorderedElementsAre("other"));
  EXPECT_NE(workspace.digest.content, tree.digest.content);
}

TEST(OwnPath, IsWhatThePackagesCallEachOther) {
  Tree tree;
  tree.packages = {{.folder = ".", .name = "main", .imports = {"fmt", "github.com/me/app/deep/er"}},
                   {.folder = "deep/er", .name = "er", .imports = {}}};
  EXPECT_EQ(own_path(tree), "github.com/me/app");
  tree.packages[0].imports = {"fmt", "github.com/me/other"};
  EXPECT_EQ(own_path(tree), "");
}

}  // namespace
}  // namespace builder::go
