// SPDX-License-Identifier: Apache-2.0
#include "base/control_group.h"

#include <gtest/gtest.h>

namespace base {
namespace {

class Groups : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const auto file = m_folder.path() / path;
    ASSERT_TRUE(make_folders(file.parent_path()));
    ASSERT_TRUE(write_file(file, text));
  }
  ControlGroup find() {
    return ControlGroup::find("cpu", m_folder.path() / "membership", m_folder.path() / "mount");
  }
  std::vector<std::string> folders() {
    std::vector<std::string> paths;
    const auto group = find();
    for (const auto& folder : group.folders())
      paths.push_back(folder.lexically_relative(m_folder.path()).string());
    return paths;
  }
  std::optional<unsigned> quota() { return processor_quota(find()); }
  TemporaryFolder m_folder = TemporaryFolder::make(testing::TempDir(), "groups.").value();
};

using Paths = std::vector<std::string>;

TEST_F(Groups, OfVersionTwoAreThoseAbove) {
  write("membership", "0::/pods/one\n");
  write("mount/pods/one/cpu.max", "");
  EXPECT_EQ(folders(), (Paths{"mount/pods/one", "mount/pods", "mount"}));
}

TEST_F(Groups, OfVersionOneAreThoseOfTheController) {
  write("membership", "9:memory:/m\n8:cpuset:/s\n4:cpuacct,cpu:/docker/abc\n0::/\n");
  write("mount/cpu/docker/abc/cpu.shares", "");
  write("mount/memory/m/x", "");
  EXPECT_EQ(folders(), (Paths{"mount/cpu/docker/abc", "mount/cpu/docker", "mount/cpu"}));
}

TEST_F(Groups, OfAContainerAreWhatItSees) {
  EXPECT_EQ(folders(), Paths{"mount"});
  write("membership", "0::/kubepods/pod1/abc\n");
  write("mount/cpu.max", "");
  EXPECT_EQ(folders(), Paths{"mount"});
  write("membership", "0::/\n");
  EXPECT_EQ(folders(), Paths{"mount"});
  write("membership", "nonsense\n0:\n:\n");
  EXPECT_EQ(folders(), Paths{"mount"});
  write("membership", "0::/../..\n");
  EXPECT_EQ(folders().back(), "mount");
}

TEST_F(Groups, GiveProcessorsOfVersionTwo) {
  write("membership", "0::/pod\n");
  const struct {
    std::string text;
    std::optional<unsigned> processors;
  } rows[] = {
      {"max 100000\n", {}},
      {"100000 100000\n", 1},
      {"100001 100000\n", 2},
      {"99999 100000\n", 1},
      {"1000 100000\n", 1},
      {"250000 100000\n", 3},
      {"25000 50000\n", 1},
      {"0 100000\n", 1},
      {"400000 0\n", {}},
      {"400000\n", {}},
      {"-1 100000\n", {}},
      {"", {}},
      {"1 2 3\n", {}},
      {"4x 100000\n", {}},
      {"18446744073709551615 1\n", 1U << 20U},
      {"18446744073709551615 18446744073709551615\n", 1},
  };
  for (const auto& row : rows) {
    write("mount/pod/cpu.max", row.text);
    EXPECT_EQ(quota(), row.processors) << row.text;
  }
}

TEST_F(Groups, GiveTheLeastOfAllAround) {
  write("membership", "0::/pods/one\n");
  write("mount/pods/one/cpu.max", "300000 100000\n");
  write("mount/pods/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 3U);
  write("mount/pods/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2U);
  write("mount/cpu.max", "800000 100000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(Groups, GiveProcessorsOfVersionOne) {
  write("membership", "4:cpu,cpuacct:/docker/abc\n");
  write("mount/cpu/docker/abc/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("mount/cpu/docker/abc/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(quota(), 2U);
  write("mount/cpu/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(quota(), 2U);
  write("mount/cpu/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(quota(), 1U);
}

TEST_F(Groups, GiveTheLeastMemoryOfAllAbove) {
  write("membership", "0::/pods/one\n");
  write("mount/pods/one/memory.max", "max\n");
  EXPECT_EQ(memory_limit(find()), std::nullopt);
  write("mount/pods/memory.max", "2000\n");
  write("mount/memory.max", "3000\n");
  EXPECT_EQ(memory_limit(find()), 2000U);
  write("mount/pods/one/memory.max", "1000\n");
  EXPECT_EQ(memory_limit(find()), 1000U);
}

TEST_F(Groups, OfVersionOneSayThatThereIsNoLimitByAVeryLargeOne) {
  write("mount/memory.limit_in_bytes", "4611686018427387904\n");
  EXPECT_EQ(memory_limit(find()), std::nullopt);
  write("mount/memory.limit_in_bytes", "4611686018427387903\n");
  EXPECT_EQ(memory_limit(find()), 4611686018427387903U);
  write("mount/memory.limit_in_bytes", "nonsense\n");
  EXPECT_EQ(memory_limit(find()), std::nullopt);
}

TEST(MachineMemory, IsMoreThanThisTestNeeds) { EXPECT_GT(memory_of_machine(), std::uint64_t{1} << 26); }

}  // namespace
}  // namespace base
