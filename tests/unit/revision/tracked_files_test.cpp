// SPDX-License-Identifier: Apache-2.0
// Indexes as git writes them, byte by byte.
#include "revision/tracked_files.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"

namespace revision {
namespace {

using Paths = std::vector<std::string>;

constexpr std::size_t k_sha1_size = 20;
constexpr std::size_t k_sha256_size = 32;

std::string big_endian(std::uint32_t number, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU);
  return bytes;
}

std::string header(std::uint32_t version, std::uint32_t count) {
  return "DIRC" + big_endian(version, 4) + big_endian(count, 4);
}

// Of version 2, or 3 with `more_flags`.
std::string entry(const std::string& path, std::size_t hash_size = k_sha1_size, bool more_flags = false) {
  std::string bytes(40 + hash_size, '\1');
  bytes += big_endian(more_flags ? 0x4000 : 0, 2);
  if (more_flags) bytes += big_endian(0, 2);
  bytes += path + std::string(1, '\0');
  while (bytes.size() % 8 != 0) bytes += '\0';
  return bytes;
}

// Of version 4: the path but for what it shares with the one before.
std::string short_entry(const std::string& removed, const std::string& added) {
  return std::string(40 + k_sha1_size, '\1') + big_endian(0, 2) + removed + added + std::string(1, '\0');
}

std::string end(std::size_t hash_size = k_sha1_size) { return std::string(hash_size, '\2'); }

std::string link(char byte) {
  return "TREE" + big_endian(3, 4) + "abc" + "link" + big_endian(24, 4) + std::string(20, byte) + "rest";
}

TEST(Index, OfEachVersionHasItsPaths) {
  for (const std::uint32_t version : {2U, 3U}) {
    const auto index =
        parse_index(header(version, 3) + entry("a") + entry("b/c.py", k_sha1_size, version == 3) +
                        entry("1234567890") + end(),
                    k_sha1_size);
    ASSERT_TRUE(index) << version;
    EXPECT_EQ(index->paths, (Paths{"a", "b/c.py", "1234567890"}));
    EXPECT_EQ(index->base, "");
  }
  // Whatever is left of the eight bytes at its end.
  for (std::size_t length = 1; length < 20; ++length) {
    const std::string path(length, 'x');
    const auto index = parse_index(header(2, 2) + entry(path) + entry("last") + end(), k_sha1_size);
    ASSERT_TRUE(index) << length;
    EXPECT_EQ(index->paths, (Paths{path, "last"}));
  }
  const auto longer =
      parse_index(header(2, 2) + entry("a", k_sha256_size) + entry("b", k_sha256_size) + end(k_sha256_size),
                  k_sha256_size);
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->paths, (Paths{"a", "b"}));
}

TEST(Index, OfVersionFourNamesWhatPathsShare) {
  const std::string long_name(200, 'n');
  // 201 is 0x80 0x49: the high bit says that more follows, which counts from one.
  const auto index = parse_index(header(4, 4) + short_entry(std::string(1, '\0'), "dir/a") +
                                     short_entry("\1", "b" + long_name) + short_entry("\x80\x49", "c") +
                                     short_entry("\5", "e") + end(),
                                 k_sha1_size);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->paths, (Paths{"dir/a", "dir/b" + long_name, "dir/c", "e"}));
  EXPECT_FALSE(parse_index(header(4, 1) + short_entry("\1", "a") + end(), k_sha1_size))
      << "there is nothing to share";
}

TEST(Index, NamesTheOneThatItIsBasedOn) {
  const auto index = parse_index(header(2, 2) + entry("a") + entry("") + link('\x1f') + end(), k_sha1_size);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->paths, Paths{"a"}) << "a replaced entry has no name";
  std::string hex;
  for (int i = 0; i < 20; ++i) hex += "1f";
  EXPECT_EQ(index->base, "sharedindex." + hex);
  const auto short_link = parse_index(header(2, 0) + "link" + big_endian(3, 4) + "abc" + end(), k_sha1_size);
  ASSERT_TRUE(short_link);
  EXPECT_EQ(short_link->base, "");
}

TEST(Index, ThatIsNoneHasNothing) {
  const std::string whole = header(2, 2) + entry("a") + entry("b");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_index(whole.substr(0, size), k_sha1_size)) << size;
  EXPECT_TRUE(parse_index(whole, k_sha1_size));
  EXPECT_FALSE(parse_index("DIRK" + whole.substr(4), k_sha1_size));
  for (const std::uint32_t version : {0U, 1U, 5U}) EXPECT_FALSE(parse_index(header(version, 0), k_sha1_size));
  for (const std::uint32_t version : {2U, 3U, 4U}) EXPECT_TRUE(parse_index(header(version, 0), k_sha1_size));
  EXPECT_FALSE(parse_index(header(2, 0xffffffff), k_sha1_size));
  EXPECT_FALSE(parse_index(header(4, 1) + short_entry(std::string(12, '\xff'), "a"), k_sha1_size));
  // Each entry repeats a long name: 16 times the text at most.
  const auto repeating = [](std::uint32_t count) {
    std::string text = header(4, count + 1) + short_entry(std::string(1, '\0'), std::string(10'000, 'x'));
    for (std::uint32_t i = 0; i < count; ++i) text += short_entry(std::string(1, '\0'), "");
    return parse_index(text + end(), k_sha1_size).has_value();
  };
  EXPECT_TRUE(repeating(16));
  EXPECT_FALSE(repeating(18));
  // An extension that says to be longer than all.
  EXPECT_FALSE(parse_index(header(2, 0) + "link" + big_endian(0xffffffff, 4) + end(), k_sha1_size));
}

class TrackedFiles : public testing::Test {
 protected:
  TrackedFiles() {
    write(".git/HEAD", "ref: refs/heads/main\n");
    EXPECT_TRUE(base::make_folders(top() / ".git/objects"));
    EXPECT_TRUE(base::make_folders(top() / "sub/deep"));
  }
  [[nodiscard]] base::fs::path top() const { return base::fs::canonical(m_folder.path()); }
  void write(const std::string& path, const std::string& text) const {
    EXPECT_TRUE(base::make_folders((top() / path).parent_path()));
    EXPECT_TRUE(base::write_file(top() / path, text));
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tracked.").value();
};

TEST_F(TrackedFiles, AreThoseOfTheRepositoryAround) {
  EXPECT_EQ(tracked_files(top()), Paths{});
  EXPECT_EQ(repository_top(top() / "sub/deep"), top());
  write(".git/index", header(2, 3) + entry("b") + entry("a/x") + entry("a.x") + end());
  for (const auto& folder : {top(), top() / "sub/deep"})
    EXPECT_EQ(tracked_files(folder), (Paths{"a.x", "a/x", "b"})) << "sorted by bytes";
  write(".git/index", "none");
  EXPECT_EQ(tracked_files(top()), Paths{});
  base::fs::remove_all(top() / ".git");
  EXPECT_EQ(tracked_files(top()), Paths{});
  EXPECT_EQ(repository_top(top()), std::nullopt);
}

TEST_F(TrackedFiles, OfASplitIndexAreInBoth) {
  std::string hex;
  for (int i = 0; i < 20; ++i) hex += "0a";
  write(".git/index", header(2, 1) + entry("new") + link('\x0a') + end());
  EXPECT_EQ(tracked_files(top()), Paths{"new"});
  write(".git/sharedindex." + hex, header(2, 2) + entry("new") + entry("old") + end());
  EXPECT_EQ(tracked_files(top()), (Paths{"new", "old"}));
}

TEST_F(TrackedFiles, HaveLongerHashesWhereTheRepositorySaysSo) {
  write(".git/index", header(2, 1) + entry("a", k_sha256_size) + end(k_sha256_size));
  EXPECT_NE(tracked_files(top()), Paths{"a"});
  write(".git/config", "[core]\n\tbare = false\n[extensions]\n\tobjectFormat = SHA256\n");
  EXPECT_EQ(tracked_files(top()), Paths{"a"});
  write(".git/config", "[extensions]\n\tobjectformat=sha1\n");
  EXPECT_NE(tracked_files(top()), Paths{"a"});
}

}  // namespace
}  // namespace revision
