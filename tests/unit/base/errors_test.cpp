// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/text.h"

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

TEST(ReadError, OfALinkThatLeadsNowhereNamesItsTarget) {
  const auto folder = TemporaryFolder::make(testing::TempDir(), "errors.").value();
  const auto link = (folder.path() / "link").string();
  ASSERT_EQ(::symlink("../gone", link.c_str()), 0);
  EXPECT_EQ(format_error(read_error(link, ENOENT)), "error: " + link +
                                                        ": is a broken symbolic link to ../gone\n" +
                                                        "hint: remove the link, or create its target\n");
  ASSERT_EQ(::unlink(link.c_str()), 0);
  ASSERT_EQ(::symlink(".", link.c_str()), 0);
  EXPECT_EQ(broken_link(link), std::nullopt);
  EXPECT_EQ(read_error(link, EACCES).what, "cannot read: permission denied");
  EXPECT_EQ(broken_link(folder.path().string()), std::nullopt);
}

TEST(SystemError, HasWordsForWhatPeopleMeet) {
  const std::vector<std::pair<int, std::string>> rows = {
      {ENOENT, "no such file or folder"},
      {EACCES, "permission denied"},
      {EPERM, "permission denied"},
      {EISDIR, "is a folder"},
      {ENOTDIR, "a part of the path is not a folder"},
      {EROFS, "the file system is read-only"},
      {ELOOP, "too many symbolic links"},
      {ENAMETOOLONG, "the name is too long"},
      {EMFILE, "too many files are open (ulimit -n)"},
      {ENFILE, "too many files are open (ulimit -n)"},
      {EIO, "Input/output error"},
  };
  for (const auto& row : rows) {
    const Error error = system_error("lock", "/x", row.first);
    EXPECT_EQ(error.what, "cannot lock: " + row.second);
    EXPECT_EQ(error.where, "/x");
    EXPECT_EQ(error.hint, "");
    EXPECT_FALSE(is_full(row.first)) << row.second;
  }
}

TEST(SystemError, AFullDiskAndAQuotaAreTheSame) {
  for (const int number : {ENOSPC, EDQUOT}) {
    EXPECT_TRUE(is_full(number));
    const Error error = system_error("read", "no-such-file", number);
    EXPECT_EQ(error.kind, ErrorKind::cannot_write);
    EXPECT_EQ(error.where, "no-such-file");
    EXPECT_EQ(error.what, "cannot read: no space left on the disk") << "no part of the path exists";
    EXPECT_EQ(error.hint, "free some space there, or choose another disk");
  }
}

TEST(SystemError, TheDiskIsFoundByTheNearestFolderThatExists) {
  const auto words = testing::ContainsRegex(
      "^cannot write: no space left on the disk of / \\([0-9.]+ [KMGTPE]?i?B and [0-9]+ inodes free\\)$");
  for (const std::string path : {"/", "/no-such-file", "/no-such-folder/file"})
    EXPECT_THAT(system_error("write", path, ENOSPC).what, words) << path;
  for (const std::string path : {"/proc", "/proc/no-such-file", "/proc/self/no/such"}) {
    EXPECT_THAT(system_error("write", path, ENOSPC).what, testing::HasSubstr("the disk of /proc (")) << path;
  }
}

TEST(Printable, EscapesWhatIsNotShown) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"a b", "a b"},
      {"é€😀", "é€😀"},
      {"\n", "\\n"},
      {"\t", "\\t"},
      {"\r", "\\x0d"},
      {"\x1f", "\\x1f"},
      {"\x7f", "\\x7f"},
      {"\xa9", "\\xa9"},
      {"a\xff\nb", "a\\xff\\nb"},
      {"\xe2\x82", "\\xe2\\x82"},
      {"gpj.\u202e"
       "exe",
       "gpj.\\u202eexe"},
      {"\u200d\u2010\u202f\u2065\u206a\u061b", "\u200d\u2010\u202f\u2065\u206a\u061b"},
  };
  for (const auto& [text, shown] : rows) EXPECT_EQ(printable(text), shown);
  EXPECT_EQ(printable(std::string(1, '\0')), "\\x00");
}

TEST(Readable, ShortensEachText) {
  const std::string longest(k_longest_message, 'x');
  const std::string longer = longest + "y";
  const Error error = readable({ErrorKind::io, longer, longer, longer});
  for (const auto& text : {error.where, error.what, error.hint}) {
    EXPECT_EQ(text, shortened(longer, k_longest_message));
    EXPECT_NE(text, longer);
  }
  EXPECT_EQ(readable({ErrorKind::io, longest, longest, longest}).where, longest);
  EXPECT_EQ(error.kind, ErrorKind::io);
}

TEST(ErrorsOfSeveralPlaces, AreKeptInTheirOrder) {
  const auto one = [](const std::string& what) { return Error{ErrorKind::bad_input, "", what, ""}; };
  Error group = one("b");
  group.more = {one("c"), one("d")};
  group.untold = 5;
  Errors errors;
  EXPECT_TRUE(errors.none());
  errors.add(one("a"));
  EXPECT_FALSE(errors.none());
  errors.add(group);
  errors.add(one("e"));
  const Error all = errors.take();
  EXPECT_TRUE(errors.none());
  EXPECT_EQ(all.what, "a");
  std::string more;
  for (const auto& error : all.more) {
    more += error.what;
    EXPECT_TRUE(error.more.empty());
    EXPECT_EQ(error.untold, 0U);
  }
  EXPECT_EQ(more, "bcde");
  EXPECT_EQ(all.untold, 5U);
  // What was taken is not there again.
  errors.add(one("f"));
  const Error next = errors.take();
  EXPECT_EQ(next.what, "f");
  EXPECT_TRUE(next.more.empty());
  EXPECT_EQ(next.untold, 0U);
}

}  // namespace
}  // namespace base
