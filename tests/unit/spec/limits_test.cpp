// SPDX-License-Identifier: Apache-2.0
// What is exactly at a limit is allowed, and one more is not.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pachbuild/spec/document.h"
#include "pachbuild/spec/duration.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string fault_of(const std::string& text) {
  const auto documents = parse_documents(text, "f");
  return documents ? "" : documents.error().what;
}

// The greatest number that `works` says yes to; it does up to there.
template <class Works>
std::size_t limit(const Works& works) {
  std::size_t number = 1;
  while (number < 2000 && works(number)) ++number;
  return number - 1;
}

TEST(Limits, JsonAndYamlAreAsDeep) {
  const auto json = [](std::size_t depth) { return fault_of(repeated("[", depth) + repeated("]", depth)); };
  const auto yaml = [](std::size_t depth) {
    return fault_of("# not JSON\n" + repeated("[", depth) + repeated("]", depth));
  };
  const auto deepest = limit([&](std::size_t depth) { return json(depth).empty(); });
  EXPECT_EQ(json(deepest + 1), "is nested more than " + std::to_string(deepest) + " levels deep");
  EXPECT_EQ(limit([&](std::size_t depth) { return yaml(depth).empty(); }), deepest);
  EXPECT_EQ(yaml(deepest + 1), json(deepest + 1));
}

TEST(Limits, ANumberInYamlHas100Characters) {
  const auto kind = [](std::size_t digits) {
    const auto documents = parse_documents("a: " + std::string(digits, '1') + ".5", "f");
    return documents ? std::string(documents->front().value->at("a").type_name()) : documents.error().what;
  };
  EXPECT_EQ(kind(98), "number");
  EXPECT_EQ(kind(99), "string");
}

TEST(Limits, ADurationHas100Characters) {
  const auto duration = [](std::size_t zeros) { return parse_duration(std::string(zeros, '0') + "1s"); };
  EXPECT_EQ(duration(98), std::chrono::seconds(1));
  EXPECT_FALSE(duration(99));
  EXPECT_EQ(parse_duration("9223372036s"), std::chrono::seconds(9'223'372'036));
  EXPECT_FALSE(parse_duration("9223372037s"));
}

TEST(Limits, APipelinesNameIsAsLongAsPachydermAllows) {
  const base::TemporaryFolder folder = base::TemporaryFolder::make(testing::TempDir(), "limits.").value();
  ASSERT_TRUE(base::make_folders(folder.path() / "source"));
  const auto what = [&](std::size_t length, const std::string& project = "") -> std::string {
    nlohmann::json spec = {
        {"pipeline", {{"name", std::string(length, 'n')}}},
        {"transform", {{"build", {{"language", "go"}, {"path", "./source"}}}}},
        {"input", {{"pfs", {{"repo", "scraper"}, {"glob", "/*"}}}}},
    };
    if (!project.empty()) spec["pipeline"]["project"]["name"] = project;
    const auto read = read_pipeline(spec.dump(), (folder.path() / "p.json").string());
    return read ? "" : read.error().what;
  };
  EXPECT_EQ(what(51), "");
  EXPECT_EQ(what(52), "pipeline.name has 52 characters; the limit is 51");
  EXPECT_EQ(what(51, "default"), "");
  EXPECT_EQ(what(44, "fourteen-chars"), "pipeline.name \"" + std::string(44, 'n') +
                                            "\" is too long: pipeline \"" + std::string(44, 'n') +
                                            "_build\" builds it, and the limit is 44 characters in project "
                                            "\"fourteen-chars\"");
  EXPECT_EQ(what(38, "fourteen-chars"), "");
  EXPECT_EQ(what(45, "fourteen-chars"),
            "pipeline.name has 45 characters; the limit is 44 in project \"fourteen-chars\"");
}

TEST(Limits, ASpecIsAtMostAMebibyte) {
  const base::TemporaryFolder folder = base::TemporaryFolder::make(testing::TempDir(), "limits.").value();
  const std::string path = (folder.path() / "p.json").string();
  const auto what = [&](std::size_t size) {
    EXPECT_TRUE(base::write_file(path, std::string(size, ' ')));
    return load_pipeline(path).error().what;
  };
  EXPECT_EQ(what((1 << 20) + 1), "is 1.0 MiB; the limit is 1.0 MiB");
  EXPECT_NE(what(1 << 20), "is 1.0 MiB; the limit is 1.0 MiB");
}

TEST(Limits, WholeNumbers) {
  const auto what = [](const std::string& number) -> std::string {
    const base::TemporaryFolder folder = base::TemporaryFolder::make(testing::TempDir(), "limits.").value();
    EXPECT_TRUE(base::make_folders(folder.path() / "source"));
    const auto read = read_pipeline(
        R"({"pipeline": {"name": "map"}, "transform": {"build": {"language": "go", "path": "./source"}},
          "input": {"pfs": {"repo": "r", "glob": "/*"}}, "datum_tries": )" +
            number + "}",
        (folder.path() / "p.json").string());
    return read ? "" : read.error().what;
  };
  for (const char* right : {"1", "3.0", "\"3\"", "9007199254740992.0"}) EXPECT_EQ(what(right), "") << right;
  for (const char* wrong : {"3.5", "9007199254740994.0", "9223372036854775808", "\"x\"", "true"})
    EXPECT_NE(what(wrong), "") << wrong;
}

}  // namespace
}  // namespace spec
