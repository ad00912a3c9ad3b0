// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/record_lines.h"

#include <gtest/gtest.h>

#include "contract/build_record.h"

namespace shim {
namespace {

contract::BuildRecord record() {
  return {.builder = "python",
          .version = "0.1.0",
          .key = std::string(64, 'a'),
          .platform = {"linux", "amd64", "glibc 2.36", "cpython-3.11.2-x86_64-linux-gnu"},
          .bundles = {{"bundle-b.tar.zst", std::string(64, 'b'), 12, 345, 6}},
          .command = {"python3", "a \"quoted\" \\ word, ", "/pfs/source/main.py"},
          .environment = {{"os", "not this"}, {"schema", "2"}},
          .packages = {"numpy==2.1.3"}};
}

TEST(ReadRecordLines, ReadsWhatBuilderRuntimeWrites) {
  const auto lines = read_record_lines(contract::to_json(record())).value();
  EXPECT_EQ(lines.builder, "python");
  EXPECT_EQ(lines.version, "0.1.0");
  EXPECT_EQ(lines.os, "linux");
  EXPECT_EQ(lines.architecture, "amd64");
  EXPECT_EQ(lines.libc, "glibc 2.36");
  EXPECT_EQ(lines.interpreter, "cpython-3.11.2-x86_64-linux-gnu");
  EXPECT_EQ(lines.command, record().command);
  EXPECT_TRUE(lines.has_bundle);
  EXPECT_EQ(lines.bytes, 12U);
  EXPECT_EQ(lines.unpacked_bytes, 345U);
  EXPECT_EQ(lines.files, 6U);
}

TEST(ReadRecordLines, ABundleMayBeMissing) {
  auto without = record();
  without.bundles.clear();
  const auto lines = read_record_lines(contract::to_json(without)).value();
  EXPECT_FALSE(lines.has_bundle);
  EXPECT_EQ(lines.architecture, "amd64");
}

TEST(ReadRecordLines, SumsUpTheBundles) {
  auto two = record();
  two.bundles.push_back({"base-c.tar.zst", std::string(64, 'c'), 100, 1000, 10});
  const auto lines = read_record_lines(contract::to_json(two)).value();
  EXPECT_EQ(lines.bytes, 112U);
  EXPECT_EQ(lines.unpacked_bytes, 1345U);
  EXPECT_EQ(lines.files, 16U);
}

TEST(ReadRecordLines, EachIsReadWhereItStands) {
  const std::string text =
      "{\n"
      "  \"builder\": \"\",\n"
      "  \"bundles\": [],\n"
      "  \"command\": [\n"
      "    \"\",\n"
      "    \"\\\"\",\n"
      "    \"a,\",\n"
      "    \"\\\\\"\n"
      "  ],\n"
      "  \"environment\": {\n"
      "    \"version\": \"inner\"\n"
      "  },\n"
      "  \"platform\": {\n"
      "    \"architecture\": \"arm64\",\n"
      "    \"libc\": \"\",\n"
      "    \"os\": \"linux\"\n"
      "  },\n"
      "  \"schema\": 1,\n"
      "  \"version\": \"outer\"\n"
      "}\n";
  const auto lines = read_record_lines(text).value();
  EXPECT_EQ(lines.builder, "");
  EXPECT_EQ(lines.command, (std::vector<std::string>{"", "\"", "a,", "\\"}));
  EXPECT_EQ(lines.version, "outer");
  EXPECT_EQ(lines.architecture, "arm64");
  EXPECT_EQ(lines.libc, "");
  EXPECT_EQ(lines.interpreter, "");
  EXPECT_FALSE(lines.has_bundle);
  for (const std::string missing : {"  \"schema\": 1,\n", "  \"platform\": {\n"}) {
    std::string without = text;
    without.erase(without.find(missing), missing.size());
    EXPECT_FALSE(read_record_lines(without)) << missing;
  }
}

TEST(ReadRecordLines, OtherTextsAreRefused) {
  EXPECT_FALSE(read_record_lines(""));
  EXPECT_FALSE(read_record_lines("{}\n"));
  auto newer = contract::to_json(record());
  newer.replace(newer.find("\"schema\": 1"), 11, "\"schema\": 2");
  EXPECT_FALSE(read_record_lines(newer));
}

}  // namespace
}  // namespace shim
