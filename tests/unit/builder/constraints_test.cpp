// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/constraints.h"

#include <gtest/gtest.h>

#include <string>

namespace builder::go {
namespace {

bool included(const std::string& name, const std::string& text = "package x\n") {
  Tags tags = standard_tags("amd64");
  tags.insert("extra");
  return is_included(name, text, tags);
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

TEST(BuildConstraints, BehindThePackageClauseAreComments) {
  EXPECT_TRUE(included("a.go", "package x\n\n//go:build ignore\n"));
}

TEST(BuildConstraints, ThatNestWithoutEndAreRefused) {
  EXPECT_FALSE(included("a.go", "//go:build " + std::string(1'000'000, '!') + "linux\npackage x\n"));
  EXPECT_FALSE(included("a.go", "//go:build " + std::string(1'000'000, '(') + "linux\npackage x\n"));
}

}  // namespace
}  // namespace builder::go
