// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/edit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace spec {
namespace {

// The text with the image of its document `number` set, and read again to see that nothing else has changed.
std::string edited(const std::string& text, std::size_t number = 0) {
  const auto documents = parse_documents(text, "p").value();
  const auto result = with_image(text, documents.at(number), "r/new:1@sha256:ab");
  if (!result) return "error: " + result.error().where + ": " + result.error().what;
  const auto again = parse_documents(*result, "p").value();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto wanted = *documents.at(i).value;
    if (i == number) wanted["transform"]["image"] = "r/new:1@sha256:ab";
    EXPECT_EQ(*again.at(i).value, wanted) << *result;
  }
  return *result;
}

TEST(WithImage, ReplacesAnImageOfJsonAndNothingElse) {
  EXPECT_EQ(edited(R"({"a" : 1,   "transform": {"cmd":["x"], "image" :  "old\"}:1"  }})"),
            R"({"a" : 1,   "transform": {"cmd":["x"], "image" :  "r/new:1@sha256:ab"  }})");
}

TEST(WithImage, AddsAnImageToJsonInTheLayoutThatIsThere) {
  EXPECT_EQ(edited(R"({"transform": {"cmd": ["x"]}})"),
            R"({"transform": {"image": "r/new:1@sha256:ab", "cmd": ["x"]}})");
  EXPECT_EQ(edited("{\n  \"transform\": {\n    \"cmd\": [\"x\"]\n  }\n}\n"),
            "{\n  \"transform\": {\n    \"image\": \"r/new:1@sha256:ab\",\n    \"cmd\": [\"x\"]\n  }\n}\n");
}

TEST(WithImage, ReplacesEveryFormOfAScalarOfYaml) {
  EXPECT_EQ(edited("transform:\n  image: old:1   # why\n  cmd: [x]\n"),
            "transform:\n  image: \"r/new:1@sha256:ab\"   # why\n  cmd: [x]\n");
  EXPECT_EQ(edited("transform: {image: old, cmd: [x]}\n"),
            "transform: {image: \"r/new:1@sha256:ab\", cmd: [x]}\n");
  EXPECT_EQ(edited("transform:\n  image: 'it''s' # c\n"), "transform:\n  image: \"r/new:1@sha256:ab\" # c\n");
  EXPECT_EQ(edited("transform:\n  image: \"a\\\"b\"\n"), "transform:\n  image: \"r/new:1@sha256:ab\"\n");
  EXPECT_EQ(edited("transform:\n  image: old"), "transform:\n  image: \"r/new:1@sha256:ab\"");
  EXPECT_EQ(edited("transform:\n  image: |\n    old\n"),
            "error: p:2:10: is written over several lines, and cannot be replaced");
}

TEST(WithImage, AddsAnImageAboveTheFirstKeyOfYaml) {
  EXPECT_EQ(
      edited("transform:\n  # what runs\n  cmd: [x]\n  build: {language: go}\n"),
      "transform:\n  # what runs\n  image: \"r/new:1@sha256:ab\"\n  cmd: [x]\n  build: {language: go}\n");
  EXPECT_EQ(edited("transform: {cmd: [x]}\n"), "transform: {\"image\": \"r/new:1@sha256:ab\", cmd: [x]}\n");
}

TEST(WithImage, AByteOrderMarkIsNoCharacterOfTheFirstLine) {
  EXPECT_EQ(edited("\xEF\xBB\xBF{\"transform\": {\"cmd\": [\"x\"]}}"),
            "\xEF\xBB\xBF{\"transform\": {\"image\": \"r/new:1@sha256:ab\", \"cmd\": [\"x\"]}}");
}

TEST(WithImage, ChangesTheKeyThatCounts) {
  EXPECT_EQ(edited(R"({"transform": {"image": "a", "image": "b"}})"),
            R"({"transform": {"image": "a", "image": "r/new:1@sha256:ab"}})");
}

TEST(WithImage, ChangesOneOfSeveralDocuments) {
  EXPECT_EQ(edited("transform:\n  image: ä\n---\ntransform:\n  image: b\n", 1),
            "transform:\n  image: ä\n---\ntransform:\n  image: \"r/new:1@sha256:ab\"\n");
}

}  // namespace
}  // namespace spec
