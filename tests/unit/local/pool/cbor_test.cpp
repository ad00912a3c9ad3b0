// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/cbor.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/files.h"

namespace local {
namespace {

using Json = nlohmann::json;

TEST(Cbor, KeepsWhatIsWritten) {
  const Json numbers = {0,     23,        24,   255,   256,    65'536, -1, std::int64_t{1} << 40,
                        -1000, 1'000'000, true, false, nullptr};
  const Json value = {{"numbers", numbers},
                      {"greatest", std::numeric_limits<std::uint64_t>::max()},
                      {"least", std::numeric_limits<std::int64_t>::min()},
                      {"texts", {"", "a\xff\n", std::string(300, 'x'), std::string("\0", 1)}},
                      {"empty", {{"array", Json::array()}, {"object", Json::object()}}}};
  EXPECT_EQ(from_cbor(to_cbor(value)), value);
}

TEST(Cbor, IsNothingElse) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nothing", ""},
      {"a cut-off number", "\x19\x01"},
      {"a cut-off text", "\x62x"},
      {"a cut-off array", "\x82\x01"},
      {"more than one item", "\x01\x01"},
      {"a fraction", "\xfb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"},
      {"bytes", "\x41x"},
      {"a tag", "\xc1\x01"},
      {"undefined", "\xf7"},
      {"an array of unknown size", "\x9f\x01\xff"},
      {"a map of unknown size", "\xbf\xff"},
      {"a text of unknown size", "\x7f\xff"},
      {"a reserved size", "\x1c"},
      {"a key that is no text", "\xa1\x01\x01"},
      {"an array of more than there is", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
      {"a map of more than there is", "\xbb\x80\x00\x00\x00\x00\x00\x00\x01x"},
      {"a text of more than there is", "\x7b\xff\xff\xff\xff\xff\xff\xff\xff"},
      {"a number that is too small", "\x3b\x80\x00\x00\x00\x00\x00\x00\x00"},
      // For each of which the library's reader would call itself.
      {"arrays in arrays", std::string(1'000'000, '\x81') + '\x01'},
      {"maps in maps",
       [] {
         std::string text;
         for (int i = 0; i < 300'000; ++i) text += "\xa1\x61x";
         return text + '\x01';
       }()},
      {"texts in texts", std::string(1'000'000, '\x7f')}};
  for (const auto& [what, bytes] : cases) EXPECT_EQ(from_cbor(bytes), std::nullopt) << what;
}

TEST(Cbor, IsReadFromEachSizeOfANumber) {
  // RFC 8949, appendix A.
  const std::pair<std::string, std::uint64_t> k_numbers[] = {
      {std::string("\x00", 1), 0},
      {"\x17", 23},
      {"\x18\x18", 24},
      {"\x18\xff", 255},
      {"\x19\x03\xe8", 1000},
      {std::string("\x1a\x00\x0f\x42\x40", 5), 1'000'000},
      {std::string("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", 9), 1'000'000'000'000}};
  for (const auto& [bytes, number] : k_numbers) {
    EXPECT_EQ(from_cbor(bytes), Json(number));
    EXPECT_EQ(from_cbor(bytes.substr(0, bytes.size() - 1)), std::nullopt) << "cut off";
  }
  EXPECT_EQ(from_cbor("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"),
            Json(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(from_cbor("\xf4"), Json(false));
  EXPECT_EQ(from_cbor("\xf5"), Json(true));
  EXPECT_EQ(from_cbor("\xf6"), Json(nullptr));
  EXPECT_EQ(from_cbor("\xf3"), std::nullopt);
  EXPECT_EQ(from_cbor("\x82\x01"), std::nullopt) << "as many items as bytes, and one is missing";
  EXPECT_EQ(from_cbor("\x62xy"), Json("xy"));
}

TEST(SealedCbor, IsWhatWasSavedUnderItsVersion) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "cbor.").value();
  const auto file = folder.path() / "sealed";
  EXPECT_EQ(load_sealed(file, 1), std::nullopt) << "it is not there";
  ASSERT_TRUE(save_sealed(file, 1, {{"a", 1}}));
  EXPECT_EQ(load_sealed(file, 1), (Json{{"a", 1}, {"version", 1}}));
  EXPECT_EQ(load_sealed(file, 2), std::nullopt);
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const Json& other : {Json::array({1}), Json(1), Json{{"a", 1}}, Json{{"version", "1"}}}) {
    ASSERT_TRUE(base::write_file(file, to_sealed_cbor(other)));
    EXPECT_EQ(load_sealed(file, 1), std::nullopt) << other.dump();
  }
  const auto sealed = to_sealed_cbor(Json(nullptr));
  EXPECT_EQ(sealed.size(), 65U);
  EXPECT_EQ(sealed.substr(0, 64), base::sha256("\xf6"));
  EXPECT_EQ(from_sealed_cbor(sealed), Json(nullptr));
  EXPECT_EQ(from_sealed_cbor(sealed.substr(0, 64)), std::nullopt);
  EXPECT_EQ(from_sealed_cbor(sealed.substr(0, 63)), std::nullopt);
  EXPECT_EQ(from_sealed_cbor(base::sha256("")), std::nullopt) << "nothing is no item";
}

}  // namespace
}  // namespace local
