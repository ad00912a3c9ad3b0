// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>

#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/modules.h"
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
}

TEST(Modules, ThatAreLackingAreSeen) {
  const auto* go_mod =
      "module a\n\nrequire (\n\texample.com/b v1.0.0\n\texample.com/b/v2 v2.1.0 // indirect\n)\n";
  const auto* go_sum =
      "example.com/b v1.0.0 h1:x=\nexample.com/b v1.0.0/go.mod h1:y=\nexample.com/b/v2 v2.1.0/go.mod h1:z=\n";
  EXPECT_FALSE(lacks_modules(go_mod, go_sum, {}));
  EXPECT_FALSE(lacks_modules(go_mod, go_sum, {"example.com/b", "example.com/b/c"}));
  EXPECT_TRUE(lacks_modules(go_mod, go_sum, {"example.com/b/v2/c"}));  // the line of its content is not there
  EXPECT_TRUE(lacks_modules(go_mod, go_sum, {"example.com/other"}));
  EXPECT_TRUE(lacks_modules(go_mod, "", {"example.com/b"}));
  EXPECT_FALSE(
      lacks_modules("require example.com/b v1.0.0\nreplace example.com/b => ./b\n", "", {"example.com/b"}));
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
  for (const auto* other :
       {"other/o.go", "other/below/o.go", "vendor/v.go", "testdata/t.go", ".h/h.go", "_u/u.go"}) {
    write(other, "package other\n");
  }
  base::fs::create_symlink("c", folder.path() / "link");
  const auto tree = read_tree(folder.path(), standard_tags("amd64")).value();
  EXPECT_EQ(tree.module, "example.com/a");
  ASSERT_EQ(tree.packages.size(), 2U);
  EXPECT_EQ(tree.packages[0].folder, ".");
  EXPECT_EQ(tree.packages[0].name, "main");
  EXPECT_THAT(tree.packages[0].imports, ElementsAre("example.com/b"));
  EXPECT_THAT(tree.packages[0].excluded, ElementsAre("z_windows.go"));
  EXPECT_EQ(tree.packages[1].folder, "c/c");
  EXPECT_TRUE(tree.packages[1].uses_c);

  write("go.work", "go 1.21\nuse (\n\t.\n\t./other\n)\n");
  const auto workspace = read_tree(folder.path(), standard_tags("amd64")).value();
  EXPECT_EQ(workspace.packages.size(), 4U);
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
