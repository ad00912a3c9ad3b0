// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/constraints.h"

#include <gmock/gmock.h>

#include <string>

namespace builder::go {
namespace {

bool included(const std::string& name, const std::string& text = "package x\n") {
  Tags tags = standard_tags("amd64");
  tags.insert("extra");
  return !exclusion_of(name, text, tags);
}

TEST(BuildConstraints, NamesDecide) {
  for (const std::string name : {"a.go", "linux.go", "a_linux.go", "a_amd64.go", "a_linux_amd64.go", "a_b.go",
                                 "amd64.go", "a_unix.go", "windows_a.go", "windows_amd64.go"}) {
    EXPECT_TRUE(included(name)) << name;
  }
  for (const std::string name : {"a_windows.go", "a_arm64.go", "a_linux_arm64.go", "a_darwin_amd64.go",
                                 "windows_arm64.go", "a_windows_amd64_test.go"}) {
    EXPECT_FALSE(included(name)) << name;
  }
}

TEST(BuildConstraints, LinesDecide) {
  for (const std::string line : {"linux", "unix && amd64", "!windows", "extra || windows",
                                 "!(windows || arm64)", "go1.18", "(linux && !cgo) || darwin", "gc"}) {
    EXPECT_TRUE(included("a.go", "// Copyright\n\n//go:build " + line + "\n\npackage x\n")) << line;
  }
  for (const std::string line :
       {"ignore", "windows", "linux && arm64", "!linux", "!(linux || windows)", "((((", "cgo"}) {
    EXPECT_FALSE(included("a.go", "//go:build " + line + "\n\npackage x\n")) << line;
  }
}

TEST(BuildConstraints, OldLinesDecideWhereThereIsNoNewOne) {
  for (const std::string lines :
       {"// +build linux", "//+build linux,amd64", "// +build windows extra",
        "// +build !windows\n// +build extra", "/* +build ignore */", "//go:build linux\n// +build ignore",
        "// +build !windows,!arm64", "// +buildnot"}) {
    EXPECT_TRUE(included("a.go", "// Copyright\n\n" + lines + "\n\npackage x\n")) << lines;
  }
  for (const std::string lines :
       {"// +build special", "// +build linux,special", "// +build linux\n// +build special",
        "// +build !extra", "//go:build special\n// +build linux"}) {
    EXPECT_FALSE(included("a.go", "// Copyright\n\n" + lines + "\n\npackage x\n")) << lines;
  }
  EXPECT_TRUE(included("a.go", "// +build special\npackage x\n")) << "it is the package's documentation";
}

TEST(BuildConstraints, AreToldWithTheFewestTagsThatHelp) {
  const auto why = [](const std::string& line) {
    return exclusion_of("a.go", line + "\n\npackage x\n", {"linux", "amd64"}).value();
  };
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_EQ(why("//go:build special && linux").constraint, "//go:build special && linux");
  EXPECT_THAT(why("//go:build special && linux").tags, ElementsAre("special"));
  EXPECT_THAT(why("//go:build (a && b) || c || windows").tags, ElementsAre("c"));
  EXPECT_THAT(why("//go:build a && !b").tags, ElementsAre("a"));
  EXPECT_EQ(why("// +build x y\n// +build z").constraint, "// +build x y, // +build z");
  EXPECT_THAT(why("// +build x y\n// +build z").tags, ElementsAre("x", "z"));
  for (const auto* line : {"//go:build ignore", "//go:build windows", "//go:build special && arm64",
                           "//go:build !linux", "// +build ignore", "//go:build cgo"})
    EXPECT_THAT(why(line).tags, IsEmpty()) << line;
  EXPECT_EQ(exclusion_of("a_windows.go", "package x\n", {"linux"})->constraint, "");
}

TEST(BuildConstraints, BehindThePackageClauseAreComments) {
  EXPECT_TRUE(included("a.go", "package x\n\n//go:build ignore\n"));
}

TEST(BuildConstraints, ThatNestWithoutEndAreRefused) {
  EXPECT_FALSE(included("a.go", "//go:build " + std::string(1'000'000, '!') + "linux\npackage x\n"));
  EXPECT_FALSE(included("a.go", "//go:build " + std::string(1'000'000, '(') + "linux\npackage x\n"));
}

}  // namespace
}  // namespace builder::go
