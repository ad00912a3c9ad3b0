// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/file_digests.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "base/stop.h"

namespace local {
namespace {

TEST(FileDigests, ReadsAgainOnlyWhatHasChanged) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "digests.").value();
  const std::string path = (folder.path() / "f").string();
  ASSERT_TRUE(base::write_file(path, "one"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  FileDigests::Entries known;
  known[path] = {FileIdentity::of(status), "remembered"};
  FileDigests digests(known);
  EXPECT_EQ(digests.digest(path, status).value(), "remembered");
  EXPECT_TRUE(digests.entries().empty()) << "written just now: the next write could have the same time";
  const std::string read = base::sha256_of_file(path).value();
  for (const auto& change : std::vector<std::function<void(struct stat&)>>{
           [](auto& changed) { ++changed.st_size; }, [](auto& changed) { ++changed.st_ino; },
           [](auto& changed) { ++changed.st_mtim.tv_nsec; }, [](auto& changed) { --changed.st_mtim.tv_sec; },
           [](auto& changed) { ++changed.st_ctim.tv_nsec; },
           [](auto& changed) { --changed.st_ctim.tv_sec; }}) {
    struct stat changed = status;
    change(changed);
    EXPECT_EQ(digests.digest(path, changed).value(), read);
  }
}

TEST(FileDigests, StopsWhenAsked) {
  const base::StopQuestion stop([] { return true; });
  FileDigests digests({});
  struct stat status{};
  ASSERT_EQ(::stat("/proc/self/exe", &status), 0);
  EXPECT_FALSE(digests.digest("/proc/self/exe", status));
}

}  // namespace
}  // namespace local
