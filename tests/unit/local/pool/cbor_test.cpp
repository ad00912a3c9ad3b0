// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/cbor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace local
