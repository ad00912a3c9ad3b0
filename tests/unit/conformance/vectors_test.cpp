// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

using conformance::byte_vectors;
using conformance::text_vectors;

namespace {

// Whether nothing in it but control characters and whole UTF-8.
bool is_text_in_utf8(std::string_view text) {
  while (!text.empty()) {
    const bool control = static_cast<unsigned char>(text.front()) < 0x80;
    const std::size_t length = control ? 1 : base::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool are_all_in_utf8(const conformance::Words& words) {
  return std::all_of(words.begin(), words.end(), [](const auto& word) { return is_text_in_utf8(word); });
}

}  // namespace

TEST(Vectors, SameSeedGivesTheSameAndAnotherOthers) {
  EXPECT_EQ(text_vectors(1), text_vectors(1));
  EXPECT_EQ(byte_vectors(1), byte_vectors(1));
  EXPECT_NE(text_vectors(1), text_vectors(2));
  EXPECT_NE(byte_vectors(1), byte_vectors(2));
}

TEST(Vectors, BeginWithWhatShellsLose) {
  const auto vectors = text_vectors(1);
  ASSERT_EQ(vectors.size(), 9U);
  EXPECT_EQ(vectors[0], conformance::Words{});
  EXPECT_EQ(vectors[1], conformance::Words{""});
  EXPECT_EQ(vectors[2], (conformance::Words{"", "", " "}));
  EXPECT_EQ(vectors[3], (conformance::Words{"--", "--help", "--exec", "-c"}));
  EXPECT_EQ(vectors[4], (conformance::Words{"a b", "new\nline", "end\n\n", "$HOME", "*"}));
  EXPECT_EQ(vectors[5], conformance::Words{std::string(100'000, 'x')});
}

TEST(Vectors, RandomOnesHaveOneToTwelveWords) {
  std::size_t fewest = 100;
  std::size_t most = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const auto vectors = text_vectors(seed);
    for (std::size_t number = 6; number < vectors.size(); ++number) {
      fewest = std::min(fewest, vectors[number].size());
      most = std::max(most, vectors[number].size());
    }
  }
  EXPECT_EQ(fewest, 1U);
  EXPECT_EQ(most, 12U);
}

TEST(Vectors, TextIsUtf8AndBytesAreNot) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    for (const auto& vector : text_vectors(seed)) EXPECT_TRUE(are_all_in_utf8(vector)) << seed;
    const auto bytes = byte_vectors(seed);
    ASSERT_EQ(bytes.size(), 2U);
    for (const auto& vector : bytes) EXPECT_FALSE(are_all_in_utf8(vector)) << seed;
  }
  EXPECT_EQ(byte_vectors(1)[0], (conformance::Words{"\xff", "a\xfe z", "\xc3"}));
}
