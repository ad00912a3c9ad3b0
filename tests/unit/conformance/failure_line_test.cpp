// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/failure_line.h"

#include <gtest/gtest.h>

using conformance::failure_line;

TEST(FailureLine, IsTheFirstThatCallsItselfAnError) {
  EXPECT_EQ(failure_line("reading\nerror: main.lua:3: no end\nerror: second\nhint: add it\n"),
            "error: main.lua:3: no end");
  EXPECT_EQ(failure_line("error[E0425]: no x\n --> main.rs:1\n"), "error[E0425]: no x");
  EXPECT_EQ(failure_line("a.c:3:5: error: no semicolon\n1 error generated.\n"),
            "a.c:3:5: error: no semicolon");
  EXPECT_EQ(failure_line("a.c:1:10: fatal error: x.h: No such file\ncompilation terminated.\n"),
            "a.c:1:10: fatal error: x.h: No such file");
  EXPECT_EQ(failure_line("  Error: no such package \nlast\n"), "Error: no such package");
}

TEST(FailureLine, IsElseTheLastOne) {
  EXPECT_EQ(failure_line("Traceback\n  File \"a\"\nImportError: no b\n\n"), "ImportError: no b");
  EXPECT_EQ(failure_line("compiling errors.c\nsaw an error here\nstopped\n"), "stopped");
  EXPECT_EQ(failure_line("\n \n"), "");
  EXPECT_EQ(failure_line(""), "");
}
