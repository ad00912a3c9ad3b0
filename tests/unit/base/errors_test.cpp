// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace base {
namespace {

TEST(InOneLine, HasAHintWhereThereIsOne) {
  EXPECT_EQ(in_one_line({ErrorKind::bad_input, "p.json:1:2", "is wrong", "write it right"}),
            "p.json:1:2: is wrong; write it right");
  EXPECT_EQ(in_one_line({ErrorKind::bad_input, "p.json", "is wrong", ""}), "p.json: is wrong");
}

TEST(FormatError, HasPlaceFaultAndHint) {
  EXPECT_EQ(format_error({ErrorKind::bad_input, "a.json", "is empty", "write a spec"}),
            "error: a.json: is empty\nhint: write a spec\n");
  EXPECT_EQ(format_error({ErrorKind::usage, "", "no spec", ""}), "error: no spec\n");
}

TEST(FormatError, CannotBeForgedByAFileName) {
  EXPECT_EQ(format_error({ErrorKind::io, "a\nerror: b\x1b[2J\xff", "is odd", ""}),
            "error: a\\nerror: b\\x1b[2J\\xff: is odd\n");
}

TEST(FormatError, IsShortWhateverItIsAbout) {
  const std::string line(1 << 20, 'x');
  const auto text = format_error({ErrorKind::bad_input, line, "\"" + line + "\": is not a pattern", line});
  EXPECT_LT(text.size(), 4 * k_longest_message);
  EXPECT_NE(text.find("\": is not a pattern\nhint: "), std::string::npos) << "what is wrong stays";
}

TEST(SystemError, NamesTheDiskThatIsFull) {
  const Error error = system_error("write", "/proc/self/no/such/file", ENOSPC);
  EXPECT_EQ(error.kind, ErrorKind::cannot_write);
  EXPECT_NE(error.what.find("no space left on the disk of /proc ("), std::string::npos) << error.what;
}

TEST(SystemError, WhatChangesADiskCannotBeWritten) {
  for (const std::string attempt : {"write", "create", "rename"})
    EXPECT_EQ(system_error(attempt, "/x", EACCES).kind, ErrorKind::cannot_write) << attempt;
  for (const std::string attempt : {"read", "start", "watch"})
    EXPECT_EQ(system_error(attempt, "/x", EACCES).kind, ErrorKind::io) << attempt;
}

TEST(SystemError, SaysWhatWasTriedAndWhy) {
  const Error error = system_error("read", "/x", ENOENT);
  EXPECT_EQ(error.kind, ErrorKind::io);
  EXPECT_EQ(format_error(error), "error: /x: cannot read: no such file or folder\n");
}

}  // namespace
}  // namespace base
