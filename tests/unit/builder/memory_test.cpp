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

TEST_F(Memory, IsReadAsTheKernelWritesIt) {
  write("membership", "0::/one\n");
  const auto limit_of = [&](const std::string& text) {
    write("mount/one/memory.max", text);
    return find().limit();
  };
  EXPECT_EQ(limit_of("4096\n"), 4096U);
  EXPECT_EQ(limit_of(" 4096 "), 4096U);
  EXPECT_EQ(limit_of("0\n"), 0U);
  for (const std::string text : {"max\n", "", "-1\n", "4096 4096\n", "4k\n", "0x10\n"})
    EXPECT_EQ(limit_of(text), std::nullopt) << text;
  // What version 1 writes for none is the largest number of whole pages, of any size.
  EXPECT_EQ(limit_of("4611686018427387903\n"), 4611686018427387903U);
  EXPECT_EQ(limit_of("4611686018427387904\n"), std::nullopt);
  EXPECT_EQ(limit_of("9223372036854771712\n"), std::nullopt);
}

TEST_F(Memory, IsThatOfTheGroupInTheListOfThisProcess) {
  write("mount/a/memory.max", "1\n");
  write("mount/b/c/memory.max", "2\n");
  write("mount/memory.max", "3\n");
  const auto limit_of = [&](const std::string& membership) {
    write("membership", membership);
    return find().limit();
  };
  EXPECT_EQ(limit_of("0::/a\n"), 1U);
  EXPECT_EQ(limit_of("0::/b/c"), 2U);
  EXPECT_EQ(limit_of("1:name=systemd:/b/c\n0::/a\n"), 1U);
  EXPECT_EQ(limit_of("0::/none\n0::/b/c\n"), 2U);
  for (const std::string text : {"0::/\n", "", "nothing\n", "0:/a\n", "7:memory:/a\n", "0::/none\n"})
    EXPECT_EQ(limit_of(text), 3U) << text;
  write("mount/b/c/memory.max", "5\n");
  EXPECT_EQ(limit_of("0::/b/c\n"), 3U) << "that of a group above";
}

TEST_F(Memory, CountsWhatWasKilled) {
  write("membership", "0::/one\n");
  const auto kills_of = [&](const std::string& text) {
    write("mount/one/memory.events", text);
    return find().kills();
  };
  EXPECT_EQ(kills_of("oom_kill 7\n"), 7U);
  EXPECT_EQ(kills_of("oom 3\noom_kill 5\noom_group_kill 9\n"), 5U);
  for (const std::string text :
       {"", "oom 3\n", "oom_kill\n", "oom_kill x\n", "x oom_kill 1\n", "oom_kills 2\n"})
    EXPECT_EQ(kills_of(text), 0U) << text;
}

TEST_F(Memory, AWatchTellsWhatMayHaveBeenEndedByItsLack) {
  write("membership", "0::/one\n");
  write("mount/one/memory.max", "536870912\n");
  write("mount/one/memory.events", "oom_kill 2\n");
  const MemoryWatch watch(find());
  const auto failed = process::Ending::from_wait_status(1 << 8);
  EXPECT_EQ(watch.hint_after(failed), std::nullopt);
  EXPECT_EQ(watch.hint_after(process::Ending::from_wait_status(15)), std::nullopt);
  const std::string hint = "raise the memory in transform.build.resource_limits, now 512.0 MiB";
  EXPECT_EQ(watch.hint_after(process::Ending::from_wait_status(9)), hint);
  write("mount/one/memory.events", "oom_kill 3\n");
  EXPECT_EQ(watch.hint_after(failed), hint);
  write("mount/one/memory.max", "max\n");
  EXPECT_EQ(watch.hint_after(failed), "raise the memory in transform.build.resource_limits");
}

}  // namespace
}  // namespace builder
