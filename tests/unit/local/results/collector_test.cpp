// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/collector.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <optional>

#include "base/digest.h"

namespace local {
namespace {

class CollectorTest : public testing::Test {
 protected:
  // What is left of the folder of an output with a file and a folder in it; its files must be in the store.
  base::fs::path collect(Collector::Openers openers, std::optional<Slots::Slot> slot = std::nullopt) {
    Task task;
    task.id = "1";
    task.output = (m_folder.path() / "output").string();
    EXPECT_TRUE(base::make_folders(base::fs::path(task.output) / "folder"));
    EXPECT_TRUE(base::write_file(base::fs::path(task.output) / "folder/file", "text"));
    auto store = ResultStore::open(m_folder.path()).value();
    Collector collector(store, 1);
    collector.add(task, base::sha256("key"), openers, std::move(slot));
    std::optional<Collector::Collected> collected;
    while (!collected) collected = collector.take(true);
    EXPECT_EQ(collected->files.value().size(), 1U);
    return task.output;
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "collector.").value();
};

TEST_F(CollectorTest, LeavesAnEmptyFolderForTheNextTask) {
  const auto folder = collect(Collector::Openers::none);
  ASSERT_TRUE(base::fs::is_directory(folder));
  EXPECT_TRUE(base::fs::is_empty(folder));
}

TEST_F(CollectorTest, FreesTheSlotOnceTheOutputIsInTheStore) {
  const auto slots = Slots::make(1).value();
  auto slot = slots.take();
  ASSERT_TRUE(slot);
  collect(Collector::Openers::none, std::move(slot));
  EXPECT_TRUE(slots.take());
}

TEST_F(CollectorTest, KeepsTheSlotWhileTheOutputWaits) {
  const auto slots = Slots::make(2).value();
  auto store = ResultStore::open(m_folder.path()).value();
  Collector collector(store, 1);
  for (int number = 0; number < 2; ++number) {
    Task task;
    task.id = std::to_string(number);
    task.output = (m_folder.path() / task.id).string();
    EXPECT_TRUE(base::make_folders(task.output));
    // The first is not read in a moment.
    const base::UniqueFd file(::open((task.output + "/file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::ftruncate(file.get(), number == 0 ? off_t{64} << 20 : 1), 0);
    collector.add(task, base::sha256(task.id), Collector::Openers::none, slots.take());
  }
  EXPECT_FALSE(slots.take());
  for (int taken = 0; taken < 2;) taken += collector.take(true) ? 1 : 0;
  EXPECT_TRUE(slots.take());
}

TEST_F(CollectorTest, LeavesNoFolderThatAProcessMayHaveOpen) {
  EXPECT_FALSE(base::fs::exists(collect(Collector::Openers::maybe)));
}

}  // namespace
}  // namespace local
