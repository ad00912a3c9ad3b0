// SPDX-License-Identifier: Apache-2.0
#include "base/relative_path.h"

#include <gtest/gtest.h>

namespace {

using Paths = std::vector<std::string>;

TEST(RelativePath, PartsOfAPathAreFoundAndJoined) {
  EXPECT_EQ(base::folder_of("a/b/c"), "a/b");
  EXPECT_EQ(base::name_of("a/b/c"), "c");
  EXPECT_EQ(base::folders_above("a/b/c"), (Paths{"a", "a/b"}));
  EXPECT_EQ(base::join_path("a/b", "c"), "a/b/c");
}

TEST(RelativePath, ANameHasNoFolderAboveIt) {
  EXPECT_EQ(base::folder_of("c"), "");
  EXPECT_EQ(base::name_of("c"), "c");
  EXPECT_EQ(base::folders_above("c"), Paths{});
}

TEST(RelativePath, IsCleanedAsText) {
  for (const auto& [path, cleaned] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"/", ""},
                                                        {"a", "a"},
                                                        {"/a//./c/../b/", "a/b"},
                                                        {"../../a", "a"},
                                                        {"a/..", ""},
                                                        {"a/.b/..c", "a/.b/..c"}})
    EXPECT_EQ(base::clean_path(path), cleaned) << path;
}

TEST(RelativePath, IsBelowAFolderOnlyByWholeNames) {
  for (const char* path : {"a", "a/", "a/b"}) EXPECT_TRUE(base::is_at_or_below(path, "a")) << path;
  for (const char* path : {"", "ab", "b/a", "/a"}) EXPECT_FALSE(base::is_at_or_below(path, "a")) << path;
  EXPECT_TRUE(base::is_at_or_below("", ""));
  EXPECT_TRUE(base::is_at_or_below("/a", ""));
  EXPECT_FALSE(base::is_at_or_below("a", ""));
}

TEST(RelativePath, TheFolderItselfAddsNothing) {
  EXPECT_EQ(base::join_path("", "c"), "c");
  EXPECT_EQ(base::join_path("a", ""), "a");
  EXPECT_EQ(base::join_path("", ""), "");
}

}  // namespace
