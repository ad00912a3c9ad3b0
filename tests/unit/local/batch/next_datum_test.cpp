// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/next_datum.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace local {
namespace {

using namespace std::string_literals;

TEST(NextDatum, RequestsAreRead) {
  EXPECT_EQ(decode_next_datum_request(""), "");
  EXPECT_EQ(decode_next_datum_request("\x0a\x04oops"), "oops");
  EXPECT_EQ(decode_next_datum_request("\x0a\x03one\x0a\x03two"), "two");
  const std::string text(300, 'x');
  EXPECT_EQ(decode_next_datum_request("\x0a\xac\x02" + text), text);
}

TEST(NextDatum, OtherFieldsArePassed) {
  // A number, eight bytes, four bytes and bytes, of other fields or of another type.
  EXPECT_EQ(decode_next_datum_request("\x10\x96\x01\x19"s + "12345678" + "\x25"s + "1234" +
                                      "\x0a\x01y"
                                      "\x32\x02zz\x08\x01"s),
            "y");
}

TEST(NextDatum, WhatIsNoMessageIsRefused) {
  for (const auto& message : {"\x0a"s, "\x0a\x05oops"s, "\x0a\xff"s, "\x02\x00"s, "\x0b"s, "\x0c"s, "\x0f"s,
                              "\x10"s, "\x19"s + "1234567", "\x25"s + "123", std::string(11, '\xff'),
                              "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
    EXPECT_EQ(decode_next_datum_request(message), std::nullopt) << testing::PrintToString(message);
  }
}

TEST(NextDatum, ResponsesHaveTheVariables) {
  EXPECT_EQ(encode_next_datum_response({}), "");
  EXPECT_EQ(encode_next_datum_response({{"A", "1"}, {"B", "\xc3\xa4\n"}}),
            "\x0a\x03"
            "A=1"
            "\x0a\x05"
            "B=\xc3\xa4\n");
  const std::string value(300, 'v');
  EXPECT_EQ(encode_next_datum_response({{"A", value}}),
            "\x0a\xae\x02"
            "A=" +
                value);
}

TEST(NextDatum, VariablesThatAreNotUtf8AreLeftOut) {
  EXPECT_EQ(encode_next_datum_response({{"A", "\xff"}, {"B", "2"}, {"C", "\xc0\x80"}}),
            "\x0a\x03"
            "B=2");
}

}  // namespace
}  // namespace local
