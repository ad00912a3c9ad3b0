// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/doctor/examination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "fake_runner.h"

namespace doctor {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr milliseconds k_long{60'000};

std::vector<std::string> all_lines(const std::vector<Group>& groups) {
  std::vector<std::string> all;
  for (const auto& group : groups) {
    for (auto& line : lines_of(group.findings)) all.push_back(group.name + ": " + line);
  }
  return all;
}

TEST(Examination, HasAllFindingsByGroupInOrder) {
  const auto groups = examine({{"a", "1", [] { return Findings{ok("1", "x"), problem("2", "y", "z")}; }},
                               {"a", "3", [] { return Findings{}; }},
                               {"b", "4", [] { return Findings{warning("4", "x", "y")}; }},
                               {"b", "5", [] { return Findings{ok("5", "x")}; }}},
                              k_long);
  EXPECT_THAT(all_lines(groups),
              ElementsAre("a: ok 1: x", "a: problem 2: y | z", "b: warning 4: x | y", "b: ok 5: x"));
  EXPECT_EQ(groups.size(), 2U);
}

TEST(Examination, ACheckThatHangsIsALine) {
  struct Door {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
  };
  const auto door = std::make_shared<Door>();
  const auto groups = examine({{"a", "1",
                                [door] {
                                  std::unique_lock lock(door->mutex);
                                  door->changed.wait(lock, [&] { return door->is_open; });
                                  return Findings{};
                                }},
                               {"a", "2", [] { return Findings{ok("2", "x")}; }}},
                              milliseconds(1500));
  EXPECT_THAT(
      all_lines(groups),
      ElementsAre("a: problem 1: did not answer within 2 s | check whether a disk or the network hangs",
                  "a: ok 2: x"));
  const std::lock_guard lock(door->mutex);
  door->is_open = true;
  door->changed.notify_all();
}

TEST(Examination, ACheckThatThrowsIsALine) {
  const auto groups = examine({{"a", "1", []() -> Findings { throw std::runtime_error("oops"); }}}, k_long);
  EXPECT_THAT(all_lines(groups),
              ElementsAre("a: problem 1: cannot be examined: oops | report this as a bug"));
}

TEST(Examination, HidesPasswords) {
  const auto groups =
      examine({{"a", "1",
                [] { return Findings{problem("1", "http://me:secret@host", "use http://me:secret@host")}; }}},
              k_long);
  EXPECT_THAT(all_lines(groups), ElementsAre("a: problem 1: http://me:***@host | use http://me:***@host"));
}

TEST(Examination, AsksTheNetworkAndTheClusterOnlyWhenTold) {
  const auto machine = std::make_shared<const Machine>();
  const auto names = [&](const Scope& scope) {
    std::string all;
    for (const auto& check : checks_of(machine, scope)) all += check.group + "/" + check.name + " ";
    return all;
  };
  const std::string first =
      "system/kernel system/sandboxes system/processors system/memory system/disk programs/programs "
      "tools/tools "
      "cache/folder cache/size network/proxies network/certificates ";
  EXPECT_EQ(names({}), first + "containers/images ");
  EXPECT_EQ(names({.network = true}), first + "network/indexes containers/images ");
  EXPECT_EQ(names({.cluster = true}), first + "containers/images cluster/cluster ");
}

}  // namespace
}  // namespace doctor
