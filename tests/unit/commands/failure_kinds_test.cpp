// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/failure_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace commands {
namespace {

using testing::ElementsAre;

TEST(FailureKinds, AreTheSameButForWhatDatumsHave) {
  FailureKinds kinds;
  const auto add = [&](const std::string& label, const std::string& log) {
    return kinds.add(label, "exit code 1", log);
  };
  EXPECT_TRUE(add("data/a.csv", "in row 7\nValueError: bad value 'x' in /pfs/data/a.csv, row 17\n"));
  EXPECT_FALSE(add("data/b.csv", "ValueError: bad value 'yy' in /pfs/data/b.csv, row 3"));
  EXPECT_FALSE(add("data/sub/c.csv", "\nValueError: bad value \"\" in /pfs/data/sub/c.csv, row 0\n\n\n"));
  EXPECT_FALSE(kinds.add("data/d(1)", "/pfs/out/d(1): not a name", "") &&
               kinds.add("data/e(1)", "/pfs/out/e(1): not a name", ""));
}

TEST(FailureKinds, OthersAreOthers) {
  FailureKinds kinds;
  EXPECT_TRUE(kinds.add("data/a", "exit code 1", "KeyError: 'x'"));
  EXPECT_TRUE(kinds.add("data/a", "exit code 2", "KeyError: 'x'"));
  EXPECT_TRUE(kinds.add("data/b", "exit code 1", "ValueError: 'x'"));
  EXPECT_TRUE(kinds.add("data/c", "timed out after 5 s", "KeyError: 'x'"));
  EXPECT_TRUE(kinds.add("data/d", "exit code 1", ""));
  EXPECT_TRUE(kinds.add("data/e", "exit code 1", "KeyError: 'x"));
  EXPECT_EQ(kinds.all().size(), 6U);
}

TEST(FailureKinds, AreCountedAndSomeNamed) {
  FailureKinds kinds;
  for (const std::string name : {"a", "b", "c", "d", "e"}) kinds.add("data/" + name, "exit code 1", "no");
  ASSERT_EQ(kinds.all().size(), 1U);
  const auto& kind = kinds.all().front();
  EXPECT_EQ(kind.first, "data/a");
  EXPECT_THAT(kind.others, ElementsAre("data/b", "data/c", "data/d"));
  EXPECT_EQ(kind.more, 4U);
  EXPECT_EQ(summary_of(kind), "4 more datums failed in the same way as data/a: data/b, data/c, data/d, …");
  EXPECT_EQ(summary_of({"x/1", {"x/2"}, 1}), "1 more datum failed in the same way as x/1: x/2");
}

TEST(FailureKinds, OfSeveralInputs) {
  FailureKinds kinds;
  EXPECT_TRUE(kinds.add("a/one.txt + b/two.txt", "exit code 1", "cannot join one.txt and /pfs/b/two.txt"));
  EXPECT_FALSE(kinds.add("a/x.txt + b/y.txt", "exit code 1", "cannot join x.txt and /pfs/b/y.txt"));
}

}  // namespace
}  // namespace commands
