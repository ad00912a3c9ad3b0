// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.h"

namespace local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The conflicts of datums "1", "2", … that wrote these paths, each as "2: FAULT".
std::vector<std::string> conflicts(const std::vector<std::vector<std::string>>& paths) {
  std::vector<DatumOutput> outputs;
  for (const auto& of_datum : paths) {
    outputs.push_back({std::to_string(outputs.size() + 1), {}});
    for (const auto& path : of_datum)
      outputs.back().files.push_back({.path = path, .digest = "d", .size = 1});
  }
  std::vector<std::string> lines;
  for (const auto& [place, error] : conflicts_of(outputs))
    lines.push_back(outputs[place].label + ": " + base::without_hint(error));
  return lines;
}

TEST(OutputConflicts, AreOfDatumsThatWroteOnePath) {
  EXPECT_THAT(conflicts({}), IsEmpty());
  EXPECT_THAT(conflicts({{"a", "b/c"}, {"b/d", "ab"}, {}}), IsEmpty());
  EXPECT_THAT(conflicts({{"a", "b"}, {"c"}, {"b"}, {"b"}}),
              ElementsAre("1: /pfs/out/b: written by two datums: 1 and 3",
                          "3: /pfs/out/b: written by two datums: 1 and 3",
                          "4: /pfs/out/b: written by two datums: 1 and 4"));
}

TEST(OutputConflicts, AreOfAFileAndAFolderOfOneName) {
  const auto wrong = {std::string("1: /pfs/out/a: written by two datums: 2 and 1"),
                      std::string("2: /pfs/out/a: written by two datums: 2 and 1")};
  EXPECT_THAT(conflicts({{"a/b/c"}, {"a"}}), testing::ElementsAreArray(wrong));
  EXPECT_THAT(conflicts({{"a/b/c"}, {"a/b"}, {"a-b"}}),
              ElementsAre("1: /pfs/out/a/b: written by two datums: 2 and 1",
                          "2: /pfs/out/a/b: written by two datums: 2 and 1"));
}

}  // namespace
}  // namespace local
