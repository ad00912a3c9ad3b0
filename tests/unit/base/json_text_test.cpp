// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace base {
namespace {

TEST(JsonText, WhatIsNotUtf8IsReplacedInBothForms) {
  const nlohmann::json sorted = {{"b", "x\xffy"}, {"a", 1}};
  EXPECT_EQ(json_text(sorted), "{\"a\":1,\"b\":\"x\uFFFDy\"}");
  EXPECT_EQ(json_lines(sorted), "{\n  \"a\": 1,\n  \"b\": \"x\uFFFDy\"\n}\n");
  const nlohmann::ordered_json in_order = {{"b", "x\xffy"}, {"a", 1}};
  EXPECT_EQ(json_text(in_order), "{\"b\":\"x\uFFFDy\",\"a\":1}");
  EXPECT_EQ(json_lines(in_order), "{\n  \"b\": \"x\uFFFDy\",\n  \"a\": 1\n}\n");
}

TEST(JsonText, AKeyIsText) { EXPECT_EQ(json_text(nlohmann::json{{"\xc3", "ü"}}), "{\"\uFFFD\":\"ü\"}"); }

}  // namespace
}  // namespace base
