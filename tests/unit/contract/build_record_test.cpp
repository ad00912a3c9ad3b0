// SPDX-License-Identifier: Apache-2.0
#include "contract/build_record.h"

#include <gtest/gtest.h>

namespace contract {
namespace {

BuildRecord example() {
  return {.builder = "python",
          .version = "1.2.3",
          .key = "k",
          .platform = {"linux", "amd64", "glibc 2.36", "cpython-3.11.2"},
          .program = {"main.py", "the default name"},
          .bundles = {{.file = "bundle-x", .digest = "x", .bytes = 1, .unpacked_bytes = 2, .files = 3}},
          .command = {"python", "main.py"},
          .environment = {{"A", "b"}},
          .packages = {"numpy==2.1.3"}};
}

TEST(BuildRecord, SurvivesWritingAndReading) {
  EXPECT_EQ(parse_build_record(to_json(example()), "build.json").value(), example());
}

TEST(BuildRecord, NeedsNoProgram) {
  auto record = example();
  record.program = {};
  EXPECT_EQ(to_json(record).find("program"), std::string::npos);
  EXPECT_EQ(parse_build_record(to_json(record), "build.json").value(), record);
}

TEST(BuildRecord, SameRecordGivesSameBytes) { EXPECT_EQ(to_json(example()), to_json(example())); }

TEST(BuildRecord, SaysWhatIsWrongWithAnother) {
  EXPECT_EQ(parse_build_record("[]", "b").error().what, "is not a JSON object");
  EXPECT_EQ(parse_build_record("{", "b").error().what, "is not a JSON object");
  EXPECT_EQ(parse_build_record("{}", "b").error().what, "has no schema number");
  EXPECT_EQ(parse_build_record(R"({"schema": 2})", "b").error().what,
            "has schema 2, this program reads schema 1");
  EXPECT_FALSE(parse_build_record(R"({"schema": 1})", "b"));
}

TEST(BuildRecord, IsNotReadFromWhatOursNeverHave) {
  const std::string text = to_json(example());
  const auto with = [&](const std::string& value) {
    return text.substr(0, text.rfind('}')) + ", \"x\": " + value + "}";
  };
  EXPECT_TRUE(parse_build_record(with("[1]"), "b"));
  // The library would make some whole number of it.
  EXPECT_FALSE(parse_build_record(with("1e300"), "b"));
  EXPECT_FALSE(parse_build_record(with(std::string(100'000, '[') + std::string(100'000, ']')), "b"));
}

}  // namespace
}  // namespace contract
