// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/bundle_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>

#include "base/errors.h"
#include "base/files.h"

namespace shim {
namespace {

std::string compress(const std::string& text) {
  std::string result(ZSTD_compressBound(text.size()), '\0');
  result.resize(ZSTD_compress(result.data(), result.size(), text.data(), text.size(), 1));
  return result;
}

// Text that compresses, but not to nothing.
std::string sample(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += std::to_string(i * 2654435761U);
  return text;
}

struct Outcome {
  std::string content;
  std::string error;
  std::string digest;
};

Outcome read_all(const std::string& bytes) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "stream.").value();
  const auto path = (folder.path() / "f").string();
  EXPECT_TRUE(base::write_file(path, bytes));
  BundleStream stream(base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "bundle");
  Outcome outcome;
  while (true) {
    const auto piece = stream.read();
    if (!piece) outcome.error = piece.error().what;
    if (!piece || piece->empty()) break;
    outcome.content += *piece;
  }
  outcome.digest = stream.finish().value();
  return outcome;
}

TEST(BundleStream, GivesTheContentAndTheDigestOfTheFile) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{131072}, std::size_t{3'000'000}}) {
    const auto text = size == 0 ? std::string() : sample(size);
    const auto outcome = read_all(compress(text));
    EXPECT_EQ(outcome.error, "");
    EXPECT_TRUE(outcome.content == text);
    EXPECT_EQ(outcome.digest, base::sha256(compress(text)));
  }
}

TEST(BundleStream, ReadsFramesOneAfterTheOther) {
  EXPECT_EQ(read_all(compress("ab") + compress("") + compress("cd")).content, "abcd");
}

TEST(BundleStream, ReadsToTheEndAfterDamage) {
  auto bytes = compress(sample(3'000'000));
  std::fill(bytes.begin() + 5, bytes.begin() + 20, '\xff');
  const auto outcome = read_all(bytes);
  EXPECT_EQ(outcome.error.substr(0, 12), "is damaged: ") << outcome.content.size();
  EXPECT_EQ(outcome.digest, base::sha256(bytes));
}

TEST(BundleStream, NoticesThatItEndsEarly) {
  const auto bytes = compress(sample(300'000));
  EXPECT_EQ(read_all("").error, "is damaged: it ends early");
  EXPECT_EQ(read_all(bytes.substr(0, bytes.size() / 2)).error, "is damaged: it ends early");
  EXPECT_EQ(read_all(bytes.substr(0, bytes.size() - 1)).error, "is damaged: it ends early");
}

TEST(BundleStream, RefusesWhatFollowsTheLastFrame) {
  EXPECT_NE(read_all(compress("ab") + "garbage").error, "");
}

}  // namespace
}  // namespace shim
