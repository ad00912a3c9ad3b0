// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/collector.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <optional>

#include "base/digest.h"

namespace local {
namespace {

class CollectorTest : public testing::Test {
 protected:
  // What is left of the folder of an output with a file and a folder in it; its files must be in the store.
  base::fs::path collect(Collector::Openers openers) {
    Task task;
    task.id = "1";
    task.output = (m_folder.path() / "output").string();
    EXPECT_TRUE(base::make_folders(base::fs::path(task.output) / "folder"));
    EXPECT_TRUE(base::write_file(base::fs::path(task.output) / "folder/file", "text"));
    auto store = ResultStore::open(m_folder.path()).value();
    Collector collector(store, 1);
    collector.add(task, base::sha256("key"), openers);
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

TEST_F(CollectorTest, LeavesNoFolderThatAProcessMayHaveOpen) {
  EXPECT_FALSE(base::fs::exists(collect(Collector::Openers::maybe)));
}

}  // namespace
}  // namespace local
