// SPDX-License-Identifier: Apache-2.0
#include "contract/build_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"

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
          .starts_in = {"/pfs/source", false},
          .environment = {{"A", "b"}},
          .prepend = {{"C", "d"}},
          .packages = {"numpy==2.1.3"}};
}

TEST(BuildRecord, SurvivesWritingAndReading) {
  EXPECT_EQ(parse_build_record(to_json(example()), "build.json").value(), example());
}

TEST(BuildRecord, NeedsNoProgram) {
  auto record = example();
  record.program = {};
  record.starts_in = {};
  record.prepend = {};
  for (const char* name : {"program", "starts_in", "prepend"})
    EXPECT_EQ(to_json(record).find(name), std::string::npos) << name;
  EXPECT_EQ(parse_build_record(to_json(record), "build.json").value(), record);
}

TEST(BuildRecord, SameRecordGivesSameBytes) { EXPECT_EQ(to_json(example()), to_json(example())); }

TEST(BuildRecord, SaysWhatIsWrongWithAnother) {
  EXPECT_EQ(parse_build_record("[]", "b").error().what, "is not a JSON object");
  for (const auto& [text, what] : {std::pair("{", "is not valid JSON"),
                                   {"", "is not valid JSON"},
                                   {"{\"schema\": 1.0}", "has fractions or too many levels"}}) {
    const auto read = parse_build_record(text, "b");
    EXPECT_EQ(base::format_error(read.error()),
              "error: b: " + std::string(what) + "\nhint: build the source again\n");
  }
  EXPECT_EQ(parse_build_record("{}", "b").error().what, "has no schema number");
  EXPECT_EQ(parse_build_record(R"({"schema": 2})", "b").error().what,
            "has schema 2, but this program reads schema 1");
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

TEST(BuildRecord, OfAPackageTheNameAndTheVersionAreTold) {
  const struct {
    std::string package, name, version;
  } rows[] = {
      {"numpy==2.1.3", "numpy", "2.1.3"},
      {"golang.org/x/text v0.3.0", "golang.org/x/text", "v0.3.0"},
      {"tool @ git+https://h/a==b", "tool", "git+https://h/a==b"},
      {"a==1 2", "a", "1 2"},
      {"plain", "plain", ""},
      {"", "", ""},
      {"a==", "a", ""},
      {"a b c", "a", "b c"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(name_and_version(row.package), std::pair(row.name, row.version)) << row.package;
}

TEST(BuildRecord, HasOnlyTheFieldsThatArePresent) {
  auto record = example();
  record.modules = {"example.com/a v1"};
  record.files = {{"run.sh", "digest"}};
  const auto json = nlohmann::json::parse(to_json(record));
  EXPECT_EQ(json["schema"], 1);
  for (const char* name : {"program", "starts_in", "prepend", "modules", "files"})
    EXPECT_TRUE(json.contains(name)) << name;
  record.program = {};
  record.starts_in = {};
  record.prepend.clear();
  record.modules.clear();
  record.files.clear();
  const auto least = nlohmann::json::parse(to_json(record));
  for (const char* name : {"program", "starts_in", "prepend", "modules", "files"})
    EXPECT_FALSE(least.contains(name)) << name;
  EXPECT_EQ(parse_build_record(to_json(record), "b").value(), record);
}

// Each field is read into its own place, and each that has to be there is missed.
TEST(BuildRecord, NeedsEachOfItsFields) {
  auto record = example();
  record.modules = {"m v1"};
  record.files = {{"run.sh", "digest"}};
  record.requirements = {"numpy==2.1.3 --hash=x"};
  record.libraries = {"libc.so.6"};
  EXPECT_EQ(parse_build_record(to_json(record), "b").value(), record);
  const auto whole = nlohmann::json::parse(to_json(record));
  const std::vector<std::string> optional = {"program", "starts_in", "prepend", "modules", "files"};
  for (const auto& item : whole.items()) {
    auto json = whole;
    json.erase(item.key());
    const auto read = parse_build_record(json.dump(), "b");
    const bool is_optional = std::find(optional.begin(), optional.end(), item.key()) != optional.end();
    EXPECT_EQ(read.has_value(), is_optional) << item.key();
    if (!read && item.key() != "schema") {
      EXPECT_EQ(read.error().what, "missing key \"" + item.key() + "\"");
    }
    json[item.key()] = item.value().is_number() ? nlohmann::json("text") : nlohmann::json(7);
    const auto other = parse_build_record(json.dump(), "b");
    ASSERT_FALSE(other) << item.key();
    EXPECT_EQ(other.error().where, "b");
    EXPECT_EQ(other.error().kind, base::ErrorKind::bad_input);
    if (item.key() != "schema") {
      EXPECT_TRUE(other.error().what.starts_with("\"" + item.key() + "\" must be a")) << other.error().what;
    }
  }
}

// Whatever a file of that name has in it.
TEST(BuildRecord, FaultsOfPartsAreNamed) {
  auto record = example();
  record.files = {{"run.sh", "digest"}};
  record.modules = {"m v1"};
  const auto whole = nlohmann::json::parse(to_json(record));
  const auto fault_of = [&](const std::string& pointer, const nlohmann::json& value) {
    auto json = whole;
    const nlohmann::json::json_pointer place(pointer);
    if (value.is_discarded()) {
      json[place.parent_pointer()].erase(place.back());
    } else {
      json[place] = value;
    }
    const auto read = parse_build_record(json.dump(), "b");
    return read ? "none" : read.error().what;
  };
  const nlohmann::json nothing(nlohmann::json::value_t::discarded);
  EXPECT_EQ(fault_of("/platform/libc", nothing), "missing key \"platform.libc\"");
  EXPECT_EQ(fault_of("/platform/libc", nullptr), "\"platform.libc\" must be a string, not null");
  EXPECT_EQ(fault_of("/platform", "linux"), "\"platform\" must be an object, not a string");
  EXPECT_EQ(fault_of("/bundles/0/bytes", "1"), "\"bundles[0].bytes\" must be a number, not a string");
  EXPECT_EQ(fault_of("/bundles/0/digest", nothing), "missing key \"bundles[0].digest\"");
  EXPECT_EQ(fault_of("/command/0", true), "\"command[0]\" must be a string, not true or false");
  EXPECT_EQ(fault_of("/environment/A", 1), "\"environment.A\" must be a string, not a number");
  EXPECT_EQ(fault_of("/environment/", "1"), "none");
  EXPECT_EQ(fault_of("/files/run.sh", nlohmann::json::array()),
            "\"files.run.sh\" must be a string, not an array");
  EXPECT_EQ(fault_of("/modules/0", nlohmann::json::object()),
            "\"modules[0]\" must be a string, not an object");
  EXPECT_EQ(fault_of("/packages", nlohmann::json::array()), "none");
}

TEST(BuildRecord, OfAnotherVersionSaysSo) {
  for (const std::string schema : {"0", "2", "-1"}) {
    const auto read = parse_build_record("{\"schema\": " + schema + "}", "b");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().what, "has schema " + schema + ", but this program reads schema 1");
    EXPECT_EQ(read.error().hint, "use the same version of pachbuild to build and to run");
  }
  for (const std::string text :
       {"{\"schema\": \"1\"}", "{\"schema\": null}", "{\"schema\": [1]}", "{\"other\": 1}"})
    EXPECT_EQ(parse_build_record(text, "b").error().what, "has no schema number") << text;
}

}  // namespace
}  // namespace contract
