// SPDX-License-Identifier: Apache-2.0
#include "base/merge_conflict.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace base {
namespace {

std::string told(std::string_view text) {
  const auto conflict = merge_conflict(text, "f");
  return conflict ? format_error(*conflict) : "none";
}

TEST(MergeConflict, IsToldAtItsFirstLine) {
  const std::string hint =
      "hint: keep one side of it, and remove the lines that start with <<<<<<<, ======= and >>>>>>>\n";
  EXPECT_EQ(told("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n<<<<<<< x\n>>>>>>> y\n"),
            "error: f:2: a merge conflict is not resolved\n" + hint);
  EXPECT_EQ(told("<<<<<<<\r\n=======\r\n>>>>>>>"), "error: f:1: a merge conflict is not resolved\n" + hint);
}

TEST(MergeConflict, NeedsBothMarkersAtTheStartsOfLines) {
  for (const std::string_view text :
       {"", "<<<<<<<", "<<<<<<< HEAD\n", ">>>>>>> b\n<<<<<<< a\n", " <<<<<<< a\n>>>>>>> b\n",
        "<<<<<<< a\n >>>>>>> b\n", "<<<<<<<< a\n>>>>>>> b\n", "<<<<<<<a\n>>>>>>> b\n"}) {
    EXPECT_EQ(told(text), "none") << text;
  }
}

}  // namespace
}  // namespace base
