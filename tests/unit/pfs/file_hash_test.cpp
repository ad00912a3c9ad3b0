// SPDX-License-Identifier: Apache-2.0
// The hashes are those that a pachd of 2.12 gave these contents.
#include "pachbuild/pfs/file_hash.h"

#include <cstdint>

namespace pfs {
namespace {

// Bytes without a pattern, so that they are split where nobody would guess.
std::string random_bytes(std::size_t count) {
  std::string bytes;
  bytes.reserve(count);
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    bytes += static_cast<char>(state >> 56U);
  }
  return bytes;
}

std::string hash_of(const std::string& content) {
  const auto folder = base::TemporaryFolder::make("/tmp", "file-hash-").value();
  EXPECT_TRUE(base::write_file(folder.path() / "file", content));
  return file_hash(folder.path() / "file").value_or("none");
}

TEST(PfsFileHash, OfNothingAndOfSmallFiles) {
  EXPECT_EQ(hash_of(""), "DldRwCblQ7Loqy6wYJnaodHl30d3j3eH+qtFzfEv46g=");
  EXPECT_EQ(hash_of("7\n"), "9Du6i7FrXG9MKWLpH1Uk8gPL80h591roxvNXQ1OoTi0=");
  EXPECT_EQ(hash_of(std::string(1'500'000, '\0')), "7TGiNKubTNaZK6oRT7fzE6HrEWIb37IPegyEd0sS5mo=");
}

TEST(PfsFileHash, OfAFileThatIsSplitWhereItsContentSays) {
  EXPECT_EQ(hash_of(random_bytes(30'000'000)), "ZgfNCc1p8+eqYYOTOl6nQ83jFw/s5hD/zHfVVX8TOpM=");
}

// Bytes that are all the same are split at the largest size.
TEST(PfsFileHash, OfAFileThatEndsWhereItIsSplit) {
  EXPECT_EQ(hash_of(std::string(40'000'000, '\0')), "n3ZQQN6ju576vbAHTZe0zZPj1rlqmHs6RvwlgLNQIn4=");
}

}  // namespace
}  // namespace pfs
