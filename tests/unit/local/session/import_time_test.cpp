// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/import_time.h"

#include <gtest/gtest.h>

#include <chrono>

#include "contract/build_record.h"
#include "contract/environment.h"

namespace local {
namespace {

using std::chrono::milliseconds;

contract::BuildRecord some_record() {
  return {.builder = "python",
          .version = "1",
          .key = "k",
          .bundles = {{.digest = "own"}, {.digest = "below"}},
          .command = {"python", "/pfs/source/main.py"},
          .imports = {"pandas", "sklearn.metrics.f1_score"}};
}

std::optional<TimedImports> imports_in(const contract::BuildRecord& record,
                                       const process::Environment& environment = {}) {
  return imports_of(to_json(record), environment);
}

TEST(ImportTime, RunsTheArtifactsPythonWithTheModules) {
  const auto imports = imports_in(some_record());
  ASSERT_TRUE(imports);
  EXPECT_EQ(imports->modules, some_record().imports);
  ASSERT_EQ(imports->command.size(), 5U);
  EXPECT_EQ(imports->command[0], "python");
  EXPECT_EQ(imports->command[1], "-c");
  EXPECT_EQ(imports->command[4], "sklearn.metrics.f1_score");
}

TEST(ImportTime, WithoutImportsThereIsNothingToTime) {
  auto record = some_record();
  record.imports.clear();
  EXPECT_FALSE(imports_in(record));
  EXPECT_FALSE(imports_of("", {}));
}

TEST(ImportTime, WhoeverHasDecidedIsNotAsked) {
  auto record = some_record();
  record.environment[contract::k_preload_variable] = "false";
  EXPECT_FALSE(imports_in(record));
  EXPECT_FALSE(imports_in(some_record(), {{contract::k_preload_variable, "false"}}));
}

TEST(ImportTime, OtherPackagesOrImportsAreTimedAnew) {
  const auto known = imports_in(some_record())->identity;
  auto others = some_record();
  others.bundles.back().digest = "other";
  auto fewer = some_record();
  fewer.imports.pop_back();
  auto edited = some_record();
  edited.key = "l";
  edited.bundles.front().digest = "edited";
  EXPECT_NE(imports_in(others)->identity, known);
  EXPECT_NE(imports_in(fewer)->identity, known);
  EXPECT_EQ(imports_in(edited)->identity, known);
}

TEST(ImportTime, SaysWhatPreloadingWouldSave) {
  const auto imports = imports_in(some_record());
  EXPECT_EQ(
      preloading_hint(*imports, "\n312\n", milliseconds(420)),
      "importing pandas, sklearn.metrics.f1_score takes 312 ms of each datum's 420 ms; to import once per "
      "worker, set preload = true below [python] in pachbuild.toml");
}

TEST(ImportTime, NamesThreeModules) {
  auto record = some_record();
  record.imports = {"a", "b", "c", "d"};
  const auto hint = preloading_hint(*imports_in(record), "300\n", milliseconds(400));
  ASSERT_TRUE(hint);
  EXPECT_TRUE(hint->starts_with("importing a, b, c, … takes 300 ms")) << *hint;
}

TEST(ImportTime, ReadsTheLastLine) {
  const auto imports = imports_in(some_record());
  EXPECT_TRUE(preloading_hint(*imports, "loading 7 models\n9\n\n300\n", milliseconds(400)));
  for (const auto* printed : {"", "\n", "300\nBye\n", "300 ms\n", "x300\n", "-300\n", "99999999999999\n"})
    EXPECT_FALSE(preloading_hint(*imports, printed, milliseconds(400))) << printed;
}

TEST(ImportTime, SaysNothingOfShortImports) {
  const auto imports = imports_in(some_record());
  EXPECT_FALSE(preloading_hint(*imports, "200\n", milliseconds(210)));
  EXPECT_TRUE(preloading_hint(*imports, "201\n", milliseconds(210)));
  EXPECT_FALSE(preloading_hint(*imports, "300\n", milliseconds(1200)));
  EXPECT_TRUE(preloading_hint(*imports, "300\n", milliseconds(1199)));
  EXPECT_FALSE(may_gain_from_preloading(milliseconds(200)));
  EXPECT_TRUE(may_gain_from_preloading(milliseconds(201)));
}

}  // namespace
}  // namespace local
