// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/locked_packages.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace builder::python {
namespace {

using testing::ElementsAre;
using Lines = std::vector<std::string>;

const MarkerEnvironment k_here = {
    .values = {{"python_version", "3.11"}, {"python_full_version", "3.11.2"}, {"sys_platform", "linux"}},
    .extras = {}};

LockedPackage package(const std::string& name, const std::string& version, std::vector<Wanted> needs = {}) {
  return {.name = name, .version = version, .needs = std::move(needs), .requirement = name + "==" + version};
}

Lock lock_of(std::vector<LockedPackage> packages) {
  return {.file = "the.lock", .manifest = "manifest", .remake = "lock it", .packages = std::move(packages)};
}

Lines select(const Lock& lock, const std::vector<Wanted>& wanted) {
  const auto lines = select_packages(lock, wanted, k_here);
  EXPECT_TRUE(lines) << (lines ? "" : lines.error().what);
  return lines.value_or(Lines{});
}

std::string error_of(const Lock& lock, const std::vector<Wanted>& wanted) {
  const auto lines = select_packages(lock, wanted, k_here);
  return lines ? "none" : lines.error().where + ": " + lines.error().what;
}

TEST(LockedPackages, WhatIsNeededComesAlongAndNothingElse) {
  const Lock lock = lock_of({package("app", "1", {{.name = "lib"}}), package("lib", "2", {{.name = "app"}}),
                             package("unused", "3")});
  EXPECT_THAT(select(lock, {{.name = "app"}}), ElementsAre("app==1", "lib==2"));
}

TEST(LockedPackages, MarkersAndInterpretersDecide) {
  Lock lock =
      lock_of({package("app", "1",
                       {{.name = "windows", .marker = "sys_platform == 'win32'"},
                        {.name = "old", .python = "<3.9"},
                        {.name = "both"}}),
               package("windows", "1"), package("old", "1"), package("both", "1"), package("both", "2")});
  lock.packages[3].pythons = {"<3.10"};
  lock.packages[4].pythons = {"<2", ">=3.10"};
  EXPECT_THAT(select(lock, {{.name = "app"}}), ElementsAre("app==1", "both==2"));
}

TEST(LockedPackages, ExtrasBringWhatTheyName) {
  Lock lock = lock_of(
      {package("app", "1",
               {{.name = "socks", .marker = "extra == 'proxy'"}, {.name = "fast", .for_extra = "speed"}}),
       package("socks", "1"), package("fast", "1"), package("app", "1", {{.name = "more"}}),
       package("more", "1")});
  lock.packages[3].extras = {"more"};
  EXPECT_THAT(select(lock, {{.name = "app"}}), ElementsAre("app==1"));
  EXPECT_THAT(select(lock, {{.name = "app", .extras = {"proxy"}}}), ElementsAre("app==1", "socks==1"));
  EXPECT_THAT(select(lock, {{.name = "app", .extras = {"more", "speed"}}}),
              ElementsAre("app==1", "fast==1", "more==1"));
}

TEST(LockedPackages, WhatIsAskedForAgainWithOtherExtrasBringsThemToo) {
  const Lock lock = lock_of(
      {package("a", "1", {{.name = "lib"}}), package("b", "1", {{.name = "lib", .extras = {"x"}}}),
       package("c", "1", {{.name = "lib", .extras = {"y"}}}),
       package("lib", "1", {{.name = "for-x", .for_extra = "x"}, {.name = "for-y", .for_extra = "y"}}),
       package("for-x", "1"), package("for-y", "1")});
  EXPECT_THAT(select(lock, {{.name = "a"}, {.name = "b"}, {.name = "c"}}),
              ElementsAre("a==1", "b==1", "c==1", "for-x==1", "for-y==1", "lib==1"));
}

TEST(LockedPackages, HashesFollowTheRequirement) {
  Lock lock = lock_of({package("app", "1")});
  lock.packages[0].hashes = {"sha256:aa", "sha256:bb"};
  EXPECT_THAT(select(lock, {{.name = "app"}}),
              ElementsAre("app==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb"));
}

TEST(LockedPackages, AMismatchNamesWhatAndWho) {
  const Lock lock =
      lock_of({package("app", "1", {{.name = "lib", .alternatives = {">=3"}}}), package("lib", "2")});
  EXPECT_EQ(error_of(lock, {{.name = "other"}}),
            "the.lock: does not match manifest: other is required but not locked");
  EXPECT_EQ(error_of(lock, {{.name = "app"}}),
            "the.lock: does not match manifest: lib 2 is locked, but app requires lib>=3");
  EXPECT_EQ(error_of(lock, {{.name = "app", .marker = "nonsense"}}),
            "the.lock: the marker \"nonsense\" makes no sense");
}

}  // namespace
}  // namespace builder::python
