// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/repo_files.h"

#include <gmock/gmock.h>

namespace cluster {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t k_mebibyte = std::uint64_t{1} << 20U;

struct Wish {
  std::string path;
  std::uint64_t bytes = 1;
  bool wanted = true;
};

// "dir/" for a folder, "/" for everything.
std::vector<std::string> transfers_for(const std::vector<Wish>& wishes) {
  std::vector<RepoFile> files;
  std::vector<bool> wanted;
  for (const auto& wish : wishes) {
    files.push_back({wish.path, wish.bytes, ""});
    wanted.push_back(wish.wanted);
  }
  std::vector<std::string> shown;
  for (const auto& transfer : plan_transfers(files, wanted))
    shown.push_back(transfer.is_folder && transfer.path.empty() ? "/" : transfer.path);
  return shown;
}

TEST(Transfers, NothingForNothing) {
  EXPECT_THAT(transfers_for({}), ElementsAre());
  EXPECT_THAT(transfers_for({{"a", 1, false}, {"b/c", 1, false}}), ElementsAre());
}

TEST(Transfers, OneFileByItself) {
  EXPECT_THAT(transfers_for({{"a"}}), ElementsAre("a"));
  EXPECT_THAT(transfers_for({{"a", 1, false}, {"b/c"}, {"b/d", 1, false}}), ElementsAre("b/c"));
}

TEST(Transfers, EverythingAtOnceWhenAllIsWanted) {
  EXPECT_THAT(transfers_for({{"a"}, {"b/c", 1000 * k_mebibyte}, {"b/d", 1000 * k_mebibyte}}),
              ElementsAre("/"));
}

TEST(Transfers, AFolderWhenTheRestIsSmallAndFilesWhenItIsLarge) {
  EXPECT_THAT(transfers_for({{"a", 1000 * k_mebibyte, false}, {"b/c"}, {"b/d"}, {"b/e", k_mebibyte, false}}),
              ElementsAre("b/"));
  EXPECT_THAT(transfers_for({{"a", 1, false}, {"b/c"}, {"b/d", 1000 * k_mebibyte, false}, {"b/e"}}),
              ElementsAre("b/c", "b/e"));
}

TEST(Transfers, OfFoldersWhoseNamesBeginAlike) {
  EXPECT_THAT(transfers_for({{"a/x", 1000 * k_mebibyte, false}, {"a/y"}, {"ab/x"}, {"ab/y"}}),
              ElementsAre("a/y", "ab/"));
}

TEST(CommitPlaces, AreWhatPachctlTakes) {
  const auto shown = [](const std::string& text) {
    const auto place = parse_commit_place(text, "here");
    return place ? text_of(*place) : "none";
  };
  EXPECT_EQ(shown("images"), "images@master");
  EXPECT_EQ(shown("images@master^2"), "images@master^2");
  EXPECT_EQ(shown("video/images@ff30813b401d4fd5a09d0c769c14d7d8"),
            "video/images@ff30813b401d4fd5a09d0c769c14d7d8");
  for (const char* const text :
       {"", "@master", "images@", "images@a@b", "images@master:/a", "-x@master", "images@-x", "a/b/c@master",
        "/images@master", "im ages@master", "images@ma ster"})
    EXPECT_EQ(shown(text), "none") << text;
}

}  // namespace
}  // namespace cluster
