// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/commit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.h"
#include "base/files.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/results/own_folder.h"

namespace local {
namespace {

std::vector<Commit::File> four_files() {
  return {{"a/b/c", "1", 1, {}}, {"a/x", "2", 20, {}}, {"a-b", "3", 300, {}}, {"b", "4", 4000, {}}};
}

TEST(CommitDigest, IsOfThePathsAndContentsOfARange) {
  const Commit commit = commit_of_files(four_files());
  EXPECT_EQ(commit.digest, commit.digest_of({0, 4}));
  // Of each change of what is in it, and of nothing else.
  const auto digests = [](const Commit& of, bool listing) {
    std::vector<std::string> all;
    for (std::size_t begin = 0; begin <= 4; ++begin) {
      for (std::size_t end = begin; end <= 4; ++end)
        all.push_back(listing ? of.listing_of({begin, end}) : of.digest_of({begin, end}));
    }
    return all;
  };
  for (const bool listing : {false, true}) {
    const auto before = digests(commit, listing);
    // All empty ranges are the same, every other one differs.
    EXPECT_EQ(std::set<std::string>(before.begin(), before.end()).size(), before.size() - 4);
    for (std::size_t changed = 0; changed < 4; ++changed) {
      for (const bool path : {true, false}) {
        Commit other = commit;
        (path ? other.files[changed].path : other.files[changed].digest) += "x";
        const auto after = digests(other, listing);
        std::size_t place = 0;
        for (std::size_t begin = 0; begin <= 4; ++begin) {
          for (std::size_t end = begin; end <= 4; ++end, ++place) {
            const bool is_in = begin <= changed && changed < end && (path || !listing);
            EXPECT_EQ(before[place] != after[place], is_in) << begin << " " << end << " " << changed;
          }
        }
      }
    }
  }
}

TEST(CommitDigest, KeepsPathsAndDigestsApart) {
  const auto one = commit_of_files({{"ab", "c", 0, {}}});
  const auto other = commit_of_files({{"a", "bc", 0, {}}});
  EXPECT_NE(one.digest, other.digest);
  EXPECT_EQ(one.digest, commit_of_files({{"ab", "c", 7, {}}}).digest) << "a size decides nothing";
}

TEST(CommitPaths, AreAllFilesAndFolders) {
  const Commit commit = commit_of_files(four_files());
  using Range = Commit::Range;
  const std::map<std::string, Range> expected = {{"", {0, 4}},      {"a", {0, 2}},   {"a/b", {0, 1}},
                                                 {"a/b/c", {0, 1}}, {"a/x", {1, 2}}, {"a-b", {2, 3}},
                                                 {"b", {3, 4}}};
  EXPECT_EQ(commit.paths(), expected);
  EXPECT_EQ(Commit().paths(), (std::map<std::string, Range>{{"", {0, 0}}}));
  EXPECT_EQ(commit.bytes_of({0, 4}), 4321U);
  EXPECT_EQ(commit.bytes_of({1, 3}), 320U);
  EXPECT_EQ(commit.bytes_of({2, 2}), 0U);
}

TEST(CommitPaths, AreOrderedWithAFoldersFilesTogether) {
  const std::vector<std::string> k_ordered = {"",    "a",   "a/",  "a/b", "a/b/c", "a/c", "a\x01",
                                              "a b", "a-b", "a.b", "aa",  "b",     "\xff"};
  for (std::size_t i = 0; i < k_ordered.size(); ++i) {
    for (std::size_t j = 0; j < k_ordered.size(); ++j)
      EXPECT_EQ(path_less(k_ordered[i], k_ordered[j]), i < j) << k_ordered[i] << " " << k_ordered[j];
  }
}

TEST(CommitOfATick, IsAnEmptyFile) {
  const auto file = tick_file("2026-01-02T03:04:05Z");
  EXPECT_EQ(file.path, "2026-01-02T03:04:05Z");
  EXPECT_EQ(file.size, 0U);
  EXPECT_EQ(file.digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

class CommitOfAFolder : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& content) const {
    ASSERT_TRUE(base::make_folders((m_root / path).parent_path()));
    ASSERT_TRUE(base::write_file(m_root / path, content));
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "commit.").value();
  base::fs::path m_root = m_folder.path() / "repo";
};

TEST_F(CommitOfAFolder, HasItsFilesWithTheirDigestsAndSizes) {
  put("b", "four");
  put("a/x", "1");
  put("a/y", "");
  std::uint64_t listed = 0;
  FileDigests digests({});
  const auto commit =
      commit_of_folder(m_root, &digests, [&](std::uint64_t bytes) { listed = bytes; }).value();
  EXPECT_EQ(listed, 5U);
  ASSERT_EQ(commit.files.size(), 3U);
  EXPECT_EQ(commit.files[0].path, "a/x");
  EXPECT_EQ(commit.files[2].path, "b");
  EXPECT_EQ(commit.files[2].digest, base::sha256("four"));
  EXPECT_EQ(commit.files[2].size, 4U);
  struct stat status{};
  ASSERT_EQ(::stat((m_root / "b").c_str(), &status), 0);
  EXPECT_EQ(commit.files[2].identity, FileIdentity::of(status));
  EXPECT_EQ(commit.digest, commit.digest_of(commit.all()));
  EXPECT_EQ(commit.folder, m_root.string());
  EXPECT_FALSE(commit.is_remote());
  EXPECT_EQ(commit.place(), m_root.string());
  const auto undigested = commit_of_folder(m_root, nullptr).value();
  EXPECT_EQ(undigested.files[2].digest, "");
  EXPECT_EQ(undigested.files[2].size, 4U);
}

TEST_F(CommitOfAFolder, NoticesWhatHasChangedInTheRange) {
  put("a", "1");
  put("b", "2");
  put("c", "3");
  FileDigests digests({});
  auto commit = commit_of_folder(m_root, &digests).value();
  EXPECT_EQ(commit.changed_file(commit.all()), "");
  put("b", "22");
  EXPECT_EQ(commit.changed_file(commit.all()), "b");
  EXPECT_EQ(commit.changed_file({1, 2}), "b");
  EXPECT_EQ(commit.changed_file({0, 1}), "");
  EXPECT_EQ(commit.changed_file({2, 3}), "");
  base::fs::remove(m_root / "a");
  EXPECT_EQ(commit.changed_file(commit.all()), "a");
  commit.is_ours = true;
  EXPECT_EQ(commit.changed_file(commit.all()), "") << "nobody changes it";
}

TEST_F(CommitOfAFolder, HasNamesThatPfsCanStoreOnly) {
  put("good", "");
  put("a\nb", "");
  const auto commit = commit_of_folder(m_root, nullptr);
  ASSERT_FALSE(commit);
  EXPECT_EQ(commit.error().where, m_root.string());
  EXPECT_NE(commit.error().what.find("invalid file name"), std::string::npos) << commit.error().what;
  EXPECT_NE(commit.error().hint.find("rename them"), std::string::npos) << commit.error().hint;
}

TEST_F(CommitOfAFolder, HoldsFilesOnlyAndNoResultsOfOurs) {
  put("a/file", "");
  put(std::string("a/") + k_own_folder + "/of-somebody", "");
  std::vector<std::string> seen;
  const auto visit = [&](const std::string& path) {
    seen.clear();
    const auto status = visit_files(m_root.string(), path, [&](const std::string& file, const auto&) {
      seen.push_back(file);
      return base::Status();
    });
    return status ? "" : status.error().where + ": " + status.error().what + ", " + status.error().hint;
  };
  EXPECT_EQ(visit(""), "");
  EXPECT_EQ(seen, (std::vector<std::string>{std::string("a/") + k_own_folder + "/of-somebody", "a/file"}));
  EXPECT_EQ(visit("a/file"), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"a/file"}));
  ASSERT_TRUE(base::remove_tree(m_root / "a" / k_own_folder));
  put(std::string("a/") + k_own_folder + "/" + k_own_mark, to_own_text({{"pipeline", "p"}}));
  EXPECT_EQ(visit(""), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"a/file"}));
  const auto root = m_root.string();
  EXPECT_EQ(visit("none"), root + "/none: cannot read: no such file or folder, ");
  base::fs::create_symlink("../a", m_root / "a" / "up");
  EXPECT_EQ(visit(""), root + "/a/up: is a link to one of its parent folders, ");
  base::fs::remove(m_root / "a" / "up");
  base::fs::create_symlink("../gone", m_root / "a" / "link");
  EXPECT_EQ(visit(""),
            root + "/a/link: is a broken symbolic link to ../gone, remove the link, or create its target");
  base::fs::remove(m_root / "a" / "link");
  // Twice, but not in a circle.
  base::fs::create_symlink("a", m_root / "again");
  EXPECT_EQ(visit(""), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"a/file", "again/file"}));
  ASSERT_EQ(::mkfifo((m_root / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(visit(""), root +
                           "/pipe: is neither a file nor a folder, a repo holds files only; remove it, or "
                           "choose another folder");
}

}  // namespace
}  // namespace local
