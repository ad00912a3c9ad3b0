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
  EXPECT_EQ(edited("{transform: {image: O \"i\", cmd: [x]}}"),
            "error: p:1:21: invalid image name \"O \"i\"\"");
}

TEST(WithImage, AddsAnImageAboveTheFirstKeyOfYaml) {
  EXPECT_EQ(
      edited("transform:\n  # what runs\n  cmd: [x]\n  build: {language: go}\n"),
      "transform:\n  # what runs\n  image: \"r/new:1@sha256:ab\"\n  cmd: [x]\n  build: {language: go}\n");
  EXPECT_EQ(edited("transform: {cmd: [x]}\n"), "transform: {\"image\": \"r/new:1@sha256:ab\", cmd: [x]}\n");
}

TEST(WithImage, AddsAnImageBehindTagsAndAnchors) {
  const std::string image = "image: \"r/new:1@sha256:ab\"\n  ";
  for (const char* properties : {"&t", "!!map", "!own &t", "&t # why", "&t\n  # why\n  # not"}) {
    const std::string begin = "transform: " + std::string(properties) + "\n  ";
    EXPECT_EQ(edited(begin + "cmd: [x]\n"), begin + image + "cmd: [x]\n");
  }
  EXPECT_EQ(edited("transform: &t {cmd: [x]}\n"),
            "transform: &t {\"image\": \"r/new:1@sha256:ab\", cmd: [x]}\n");
  EXPECT_EQ(edited("transform:\n  ? cmd\n  : [x]\n"), "transform:\n  " + image + "? cmd\n  : [x]\n");
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

constexpr char k_new[] = "\"r/new:1@sha256:ab\"";

TEST(WithImage, FindsWhereTheOldOneEnds) {
  for (const auto& [before, old, after] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"transform: {cmd: [x], image: ", "old", "}\n"},
           {"{transform: {image: ", "old", ", cmd: [x]}}"},
           {"transform:\n  image: ", "old", "\t# c\n"},
           {"transform:\n  image: ", "old", "\r\n"},
           {"transform:\n  image: ", "old", "\n"},
           {"transform:\n  image: ", "'a'''", "\n"},
           {"transform:\n  image: ", "'\\'", "\n"},
           {"transform:\n  image: ", "\"a''\"", "\n"},
           {"transform:\n  image: ", "\"a\\\\\"", " # \"\n"},
           {"transform:\n  image: ", "\"two\n    lines\"", "\n  cmd: [x]\n"},
           {"é: {ä: 1}\ntransform: {ö: ü, image: ", "'é'", "}\n"},
           {"\xEF\xBB\xBF\"x\": 1\n\"transform\": {\"image\": ", "\"é\"", "}\n"},
           {"{\"transform\": {\"image\": ", "null", "}}"},
       }) {
    EXPECT_EQ(edited(before + old + after), before + k_new + after);
  }
}

TEST(WithImage, SaysWhatItCannotReplace) {
  const auto fault = [](const std::string& text) {
    const auto result = with_image(text, parse_documents(text, "p").value().front(), "x");
    EXPECT_FALSE(result);
    const auto& error = result.error();
    EXPECT_EQ(error.kind, base::ErrorKind::bad_input);
    return error.where + ": " + error.what + "; " + error.hint;
  };
  for (const char* sign : {"|", ">", "|-", ">+"})
    EXPECT_EQ(fault("transform:\n  image: " + std::string(sign) + "\n    old\n"),
              "p:2:10: is written over several lines, and cannot be replaced; write the image on one line");
  for (const char* image : {"O i", "a, b"})
    EXPECT_EQ(
        fault("transform:\n  image: " + std::string(image) + "\n"),
        "p:2:10: invalid image name \"" + std::string(image) + "\"; write it without spaces, or in quotes");
  // Of another text than that of the document.
  const auto document = parse_documents("x: 1\ntransform: {image: a}", "p").value().front();
  for (const char* other : {"", "x: 1", "x: 1\n", "x: 1\ntransform: {image: "}) {
    const auto result = with_image(other, document, "x");
    ASSERT_FALSE(result) << other;
    EXPECT_EQ(result.error().kind, base::ErrorKind::bug);
    EXPECT_EQ(result.error().where + " " + result.error().what, "p:2:20 is beyond the end of the file");
  }
}

TEST(WithImage, AddsOneToEveryFormOfAnObject) {
  const std::string image = "\"image\": " + std::string(k_new) + ",";
  EXPECT_EQ(edited("{\"transform\": {}}"), "{\"transform\": {" + image + " }}");
  EXPECT_EQ(edited("{\"transform\": { \"a\": 1}}"), "{\"transform\": { " + image + " \"a\": 1}}");
  EXPECT_EQ(edited("{\"transform\":\n\t{\r\n\t\t\"a\": 1}}"),
            "{\"transform\":\n\t{\r\n\t\t" + image + "\r\n\t\t\"a\": 1}}");
  EXPECT_EQ(edited("x: 1\ntransform:\n      a: 1\n      b: 2\n"),
            "x: 1\ntransform:\n      image: " + std::string(k_new) + "\n      a: 1\n      b: 2\n");
}

}  // namespace
}  // namespace spec
