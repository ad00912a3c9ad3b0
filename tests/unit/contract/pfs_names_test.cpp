// SPDX-License-Identifier: Apache-2.0
#include "contract/pfs_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/cache_limit.h"

namespace contract {
namespace {

TEST(PfsNames, ArePrintableAsciiWithoutGlobs) {
  for (const char c : std::string(" ~/._-aZ09#$%&',:;<=>\"\\`|")) EXPECT_TRUE(can_be_in_pfs_name(c)) << c;
  for (const char c : std::string("*?[]{}!()@+^\x1f\x7f\n\t\x80\xff"))
    EXPECT_FALSE(can_be_in_pfs_name(c)) << c;
  EXPECT_TRUE(can_be_stored_in_pfs(""));
  EXPECT_TRUE(can_be_stored_in_pfs("a/b c"));
  for (const std::string path : {"*a", "a*", "a*b", "ä"}) EXPECT_FALSE(can_be_stored_in_pfs(path)) << path;
}

TEST(PfsNames, WhatIsWrongIsTheCharactersOnceEach) {
  EXPECT_EQ(wrong_in_pfs("a"), "");
  EXPECT_EQ(wrong_in_pfs("[a]"), "[ ]");
  EXPECT_EQ(wrong_in_pfs("ä€ä*a€"), "ä € *");
  EXPECT_EQ(wrong_in_pfs("a\nb\xff"), "\n \xff");
}

TEST(PfsNames, TheErrorListsThem) {
  const auto one = names_fault("folder", {"a*"}, "rename it");
  EXPECT_EQ(one.kind, base::ErrorKind::bad_input);
  EXPECT_EQ(one.where, "folder");
  EXPECT_EQ(one.what, "invalid file name for PFS: \"a*\" contains *");
  EXPECT_EQ(one.hint, "names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename it");
  EXPECT_EQ(names_fault("f", {"b?", "a*"}, "").what,
            "2 invalid file names for PFS: \"a*\" contains *, \"b?\" contains ?");
}

TEST(CacheLimitValue, IsASizeOrTheDefault) {
  EXPECT_EQ(parse_cache_limit("").value(), std::uint64_t{20} << 30);
  EXPECT_EQ(parse_cache_limit("0").value(), 0U);
  EXPECT_EQ(parse_cache_limit("500 MiB").value(), std::uint64_t{500} << 20);
  const auto wrong = parse_cache_limit("much");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, base::ErrorKind::usage);
  EXPECT_EQ(wrong.error().where, "PACHBUILD_CACHE_LIMIT");
  EXPECT_EQ(wrong.error().what, "invalid size \"much\"");
  EXPECT_EQ(wrong.error().hint, "write it as 20GiB or 500MiB; 0 means no limit");
}

}  // namespace
}  // namespace contract
