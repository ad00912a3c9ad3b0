// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/file_pattern.h"

#include <gtest/gtest.h>

namespace builder::declared {
namespace {

bool fits_path(const std::string& pattern, const std::string& path) {
  const auto compiled = FilePattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern;
  return compiled && compiled->matches(path, [] { return std::string(); });
}

std::string fault_of_pattern(const std::string& pattern) {
  const auto compiled = FilePattern::compile(pattern);
  return compiled ? "" : compiled.error().what;
}

TEST(DeclaredFilePattern, StarsStopAtSlashes) {
  EXPECT_TRUE(fits_path("*.sh", "a.sh"));
  EXPECT_FALSE(fits_path("*.sh", "d/a.sh"));
  EXPECT_FALSE(fits_path("*.sh", "a.shx"));
  EXPECT_FALSE(fits_path("*", ""));
  EXPECT_TRUE(fits_path("a*", "a"));
  EXPECT_TRUE(fits_path("lib/*/x?", "lib/a/xy"));
  EXPECT_FALSE(fits_path("lib/*/x?", "lib/a/x/"));
  EXPECT_FALSE(fits_path("lib/*/x", "lib//x"));
}

TEST(DeclaredFilePattern, TwoStarsMeanAnyFolders) {
  for (const std::string path : {"a.sh", "d/a.sh", "d/e/a.sh"})
    EXPECT_TRUE(fits_path("**/*.sh", path)) << path;
  EXPECT_FALSE(fits_path("**/*.sh", "a.txt"));
  EXPECT_TRUE(fits_path("**", "a/b/c"));
  EXPECT_TRUE(fits_path("lib/**", "lib/b/c"));
  EXPECT_FALSE(fits_path("lib/**", "lib"));
  EXPECT_FALSE(fits_path("lib/**", "lib/"));
  EXPECT_TRUE(fits_path("lib/**/x", "lib/x"));
  EXPECT_TRUE(fits_path("lib/**/x", "lib/a/b/x"));
  EXPECT_FALSE(fits_path("lib/**/x", "libx"));
  EXPECT_TRUE(fits_path("a**", "ab/c"));
  EXPECT_TRUE(fits_path("a**", "a"));
}

TEST(DeclaredFilePattern, SetsAndAlternatives) {
  EXPECT_TRUE(fits_path("[a-c]x", "bx"));
  EXPECT_FALSE(fits_path("[a-c]x", "dx"));
  EXPECT_TRUE(fits_path("[!a]x", "bx"));
  EXPECT_FALSE(fits_path("[!a]x", "ax"));
  EXPECT_FALSE(fits_path("[^a]", "/"));
  EXPECT_TRUE(fits_path("[\\]", "\\"));
  EXPECT_TRUE(fits_path("*.{js,mjs}", "a.mjs"));
  EXPECT_FALSE(fits_path("*.{js,mjs}", "a.cjs"));
  EXPECT_TRUE(fits_path("{a,{b,c}}", "c"));
  EXPECT_TRUE(fits_path("a,b", "a,b"));
  EXPECT_TRUE(fits_path("a+(b).c", "a+(b).c"));
  EXPECT_FALSE(fits_path("a.c", "abc"));
}

TEST(DeclaredFilePattern, WhatIsInvalidIsSaid) {
  EXPECT_EQ(fault_of_pattern(""), "invalid file pattern \"\": it is empty");
  EXPECT_EQ(fault_of_pattern("/etc"), "invalid file pattern \"/etc\": it points outside the folder");
  EXPECT_EQ(fault_of_pattern("../a"), "invalid file pattern \"../a\": it points outside the folder");
  EXPECT_EQ(fault_of_pattern("[a"), "invalid file pattern \"[a\": unclosed '['");
  EXPECT_EQ(fault_of_pattern("[]"), "invalid file pattern \"[]\": unclosed '['");
  EXPECT_EQ(fault_of_pattern("{a"), "invalid file pattern \"{a\": unclosed '{'");
  EXPECT_EQ(fault_of_pattern("a}"), "invalid file pattern \"a}\": unmatched '}'");
  EXPECT_EQ(fault_of_pattern("[b-a]"),
            "invalid file pattern \"[b-a]\": invalid pattern: invalid character class range: b-a");
}

TEST(DeclaredFilePattern, KnowsWhatItIs) {
  EXPECT_TRUE(FilePattern::compile("a/b.txt")->is_plain());
  for (const std::string pattern : {"*", "a?", "[a]", "{a,b}", "#!sh"})
    EXPECT_FALSE(FilePattern::compile(pattern)->is_plain()) << pattern;
  EXPECT_TRUE(FilePattern::compile("**/a")->is_wide());
  EXPECT_TRUE(FilePattern::compile("#!sh")->is_wide());
  EXPECT_FALSE(FilePattern::compile("*/a")->is_wide());
  EXPECT_TRUE(FilePattern::compile("#!sh")->is_interpreter());
  EXPECT_FALSE(FilePattern::compile("*.sh")->is_interpreter());
}

TEST(DeclaredFilePattern, SaysToPeopleWhatItIs) {
  const auto described = [](const std::string& text) { return FilePattern::compile(text)->described(); };
  EXPECT_EQ(described("a/*.sh"), "a/*.sh");
  EXPECT_EQ(described("#!bash"), "file that starts with #!/bin/bash");
  EXPECT_EQ(described("#!"), "file that starts with #!");
}

TEST(DeclaredFilePattern, FirstLinesNameInterpreters) {
  const auto fits = [](const std::string& pattern, const std::string& line) {
    return FilePattern::compile(pattern)->matches("any", [&] { return line; });
  };
  EXPECT_TRUE(fits("#!", "#!/bin/sh"));
  EXPECT_FALSE(fits("#!", "echo"));
  EXPECT_TRUE(fits("#!bash", "#!/usr/bin/env bash"));
  EXPECT_TRUE(fits("#!bash", "#! /bin/bash -e"));
  EXPECT_FALSE(fits("#!bash", "#!/bin/sh"));
  EXPECT_EQ(interpreter_of("#!/usr/bin/env -S A=1 -i bash -e"), "bash");
  EXPECT_EQ(interpreter_of("#!/usr/bin/env"), "");
  EXPECT_EQ(interpreter_of("#!/bin/sh -e"), "sh");
  EXPECT_EQ(interpreter_of("#!"), "");
  EXPECT_EQ(interpreter_of("bash"), "");
}

TEST(DeclaredFilePattern, OneOfSeveralIsEnough) {
  const FilePatterns patterns = {FilePattern::compile("a").value(), FilePattern::compile("b").value()};
  const auto none = [] { return std::string(); };
  EXPECT_TRUE(any_matches(patterns, "b", none));
  EXPECT_FALSE(any_matches(patterns, "c", none));
  EXPECT_FALSE(any_matches({}, "c", none));
}

}  // namespace
}  // namespace builder::declared
