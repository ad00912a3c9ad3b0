// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/memory.h"

#include <gtest/gtest.h>

namespace builder {
namespace {

class Memory : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const auto file = m_folder.path() / path;
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, text));
  }
  MemoryGroup find() { return MemoryGroup::find(m_folder.path() / "membership", m_folder.path() / "mount"); }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "memory.").value();
};

TEST_F(Memory, OfVersionTwoIsTheLeastOfAllGroupsAbove) {
  write("membership", "0::/pods/one\n");
  write("mount/pods/one/memory.max", "max\n");
  write("mount/pods/memory.max", "1073741824\n");
  write("mount/pods/one/memory.events", "low 0\noom 3\noom_kill 2\n");
  EXPECT_EQ(find().limit(), 1U << 30U);
  EXPECT_EQ(find().kills(), 2U);
  write("mount/pods/one/memory.max", "536870912\n");
  EXPECT_EQ(find().limit(), 1U << 29U);
}

TEST_F(Memory, OfVersionOneIsThatOfItsController) {
  write("membership", "8:cpu,cpuacct:/x\n7:memory:/docker/abc\n0::/\n");
  write("mount/memory/docker/abc/memory.limit_in_bytes", "536870912\n");
  write("mount/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("mount/memory/docker/abc/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  EXPECT_EQ(find().limit(), 1U << 29U);
  EXPECT_EQ(find().kills(), 1U);
}

TEST_F(Memory, OfAContainerThatSeesItsOwnGroupOnly) {
  write("membership", "0::/kubepods/pod1/abc\n");
  write("mount/memory.max", "1000\n");
  EXPECT_EQ(find().limit(), 1000U);
}

TEST_F(Memory, IsUnlimitedWhereNothingSaysOtherwise) {
  EXPECT_EQ(find().limit(), std::nullopt);
  EXPECT_EQ(find().kills(), 0U);
}

TEST(MemoryShares, AreOfNineTenthsOfTheLimit) {
  const struct {
    std::uint64_t limit, processors, processes, bytes;
  } rows[] = {
      {1000, 1, 1, 900}, {1000, 4, 4, 225}, {1000, 20, 10, 90}, {1000, 10, 10, 90},
      {199, 4, 1, 171},  {200, 4, 2, 90},   {99, 4, 1, 81},     {0, 4, 1, 0},
  };
  for (const auto& row : rows) {
    const auto shares = share_memory(row.limit, 100, row.processors);
    EXPECT_EQ(shares.processes, row.processes) << row.limit << " " << row.processors;
    EXPECT_EQ(shares.bytes, row.bytes) << row.limit << " " << row.processors;
  }
}

TEST(MemoryShares, AreOfHalfTheMachineWithoutALimit) {
  const auto one = share_memory({}, 100, 1);
  EXPECT_EQ(one.processes, 1U);
  EXPECT_GE(one.bytes, std::uint64_t{64} << 20U);
  const auto four = share_memory({}, 100, 4);
  EXPECT_EQ(four.processes, 4U);
  EXPECT_EQ(four.bytes, one.bytes / 4);
}

}  // namespace
}  // namespace builder
