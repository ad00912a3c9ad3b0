// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/kept_logs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"

namespace local {
namespace {

class KeptLogs : public testing::Test {
 protected:
  void put(const std::string& name, std::size_t size = 1) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, std::string(size, 'x')));
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "logs.").value();
};

TEST_F(KeptLogs, AreTheFilesOfAllRuns) {
  put("run/one/logs/a.log", 100'000);
  put("run/two/logs/b.log");
  put("run/two/logs/b.txt");
  put("run/two/other/c.log");
  put("run/d.log");
  put("logs/e.log");
  ASSERT_TRUE(base::make_folders(m_folder.path() / "run/two/logs/folder.log"));
  base::fs::create_symlink("b.log", m_folder.path() / "run/two/logs/link.log");
  const timespec times[] = {{5, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (m_folder.path() / "run/one/logs/a.log").c_str(), times, 0), 0);
  auto logs = all_logs(m_folder.path());
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0].path, m_folder.path() / "run/one/logs/a.log");
  EXPECT_EQ(logs[1].path, m_folder.path() / "run/two/logs/b.log");
  EXPECT_EQ(std::chrono::system_clock::to_time_t(logs[0].used), 1'000'000'000);
  // What it takes on the disk (du).
  struct stat status{};
  ASSERT_EQ(::stat(logs[0].path.c_str(), &status), 0);
  EXPECT_EQ(logs[0].bytes, static_cast<std::uint64_t>(status.st_blocks) * 512);
  EXPECT_TRUE(all_logs(m_folder.path() / "none").empty());
}

TEST_F(KeptLogs, OfOtherKeysGo) {
  for (const auto* name : {"a.log", "b.log", "c.log", "c.txt", "lock"}) put(name);
  keep_logs(m_folder.path(), {"a", "c"});
  std::vector<std::string> left;
  for (const auto& entry : base::fs::directory_iterator(m_folder.path()))
    left.push_back(entry.path().filename().string());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{"a.log", "c.log", "c.txt", "lock"}));
}

}  // namespace
}  // namespace local
