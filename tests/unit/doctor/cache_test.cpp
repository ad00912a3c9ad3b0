// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

#include "fake_runner.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

using testing::ElementsAre;
namespace fs = base::fs;

class DoctorCache : public testing::Test {
 protected:
  DoctorCache() { choose("cache"); }
  ~DoctorCache() override { ::unsetenv("PACHBUILD_CACHE_DIR"); }
  DoctorCache(const DoctorCache&) = delete;
  DoctorCache& operator=(const DoctorCache&) = delete;

  fs::path choose(const std::string& name) const {
    auto path = m_folder.path() / name;
    ::setenv("PACHBUILD_CACHE_DIR", path.c_str(), 1);
    return path;
  }
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "doctor.").value();
};

TEST_F(DoctorCache, IsThereOrCanBeMade) {
  const auto cache = choose("cache");
  EXPECT_THAT(lines_of(check_cache({})),
              ElementsAre("ok folder: " + cache.string() + " (does not exist yet)"));
  EXPECT_FALSE(fs::exists(cache));
  ASSERT_TRUE(base::make_folders(cache, 0700));
  EXPECT_THAT(lines_of(check_cache({})), ElementsAre("ok folder: " + cache.string()));
}

TEST_F(DoctorCache, ThatOthersCanChangeIsBad) {
  const auto cache = choose("cache");
  ASSERT_TRUE(base::make_folders(cache, 0700));
  ASSERT_EQ(::chmod(cache.c_str(), 0777), 0);
  EXPECT_THAT(
      lines_of(check_cache({})),
      ElementsAre("problem folder: " + cache.string() +
                  ": cannot be trusted: other users can write to it | use a folder that only this user and "
                  "root can change, with all folders above it; name one in PACHBUILD_CACHE_DIR"));
}

TEST_F(DoctorCache, ThatIsNoFolderIsBad) {
  const auto file = choose("file");
  ASSERT_TRUE(base::write_file(file, ""));
  EXPECT_THAT(lines_of(check_cache({})),
              ElementsAre("problem folder: PACHBUILD_CACHE_DIR: " + file.string() +
                          " is not a folder | set PACHBUILD_CACHE_DIR to a folder of your own"));
  ::setenv("PACHBUILD_CACHE_DIR", "relative", 1);
  EXPECT_THAT(
      lines_of(check_cache({})),
      ElementsAre("problem folder: PACHBUILD_CACHE_DIR: the cache folder must be an absolute path, not "
                  "\"relative\" | set it, or HOME, to an absolute path"));
}

TEST_F(DoctorCache, HasASizeAndALimit) {
  const auto cache = choose("cache");
  EXPECT_THAT(lines_of(check_cache_size({})), ElementsAre("ok size: 0 B in 0 files, limit 20.0 GiB"));
  ASSERT_TRUE(base::make_folders(cache / "go"));
  ASSERT_TRUE(base::write_file(cache / "go" / "file", "x"));
  EXPECT_THAT(lines_of(check_cache_size({.environment = {{"PACHBUILD_CACHE_LIMIT", "0"}}})).at(0),
              testing::ContainsRegex("^ok size: [0-9.]+ (B|KiB) in 1 file, no limit$"));
  EXPECT_THAT(lines_of(check_cache_size({.environment = {{"PACHBUILD_CACHE_LIMIT", "1GiB"}}})).at(0),
              testing::EndsWith(" in 1 file, limit 1.0 GiB"));
  EXPECT_THAT(
      lines_of(check_cache_size({.environment = {{"PACHBUILD_CACHE_LIMIT", "much"}}})),
      ElementsAre(
          "problem size: PACHBUILD_CACHE_LIMIT: invalid size \"much\" | write it as 20GiB or 500MiB; 0 "
          "means no limit"));
  ::setenv("PACHBUILD_CACHE_DIR", "relative", 1);
  EXPECT_TRUE(check_cache_size({}).empty());
}

}  // namespace
}  // namespace doctor
