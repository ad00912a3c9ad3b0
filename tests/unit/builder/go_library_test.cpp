// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <ctime>

#include "builder-runtime/languages/go/library.h"

namespace builder::go {
namespace {

namespace fs = base::fs;

class CompiledLibrary : public testing::Test {
 protected:
  CompiledLibrary() {
    EXPECT_TRUE(base::make_folders(m_image / "0a", 0755));
    EXPECT_TRUE(base::write_file(m_image / "0a" / "0a12-d", "compiled"));
    EXPECT_TRUE(base::write_file(m_image / "README", "text"));
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "library.").value();
  const fs::path m_image = m_folder.path() / "image";
  const fs::path m_own = m_folder.path() / "cache" / "go" / "build";
};

TEST_F(CompiledLibrary, IsCopiedWhole) {
  ASSERT_TRUE(take_compiled_library(m_image, m_own));
  EXPECT_EQ(base::read_file(m_own / "0a" / "0a12-d").value(), "compiled");
  EXPECT_EQ(base::read_file(m_own / "README").value(), "text");
  // Go adds to it, and nothing is left beside it.
  EXPECT_TRUE(base::write_file(m_own / "0a" / "0a13-d", "more"));
  EXPECT_EQ(std::distance(fs::directory_iterator(m_own.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(CompiledLibrary, HasPlainModesWhateverTheImageHas) {
  const auto mode_of = [](const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  };
  ASSERT_EQ(::chmod((m_image / "README").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((m_image / "0a" / "0a12-d").c_str(), 0755), 0);
  ASSERT_EQ(::chmod((m_image / "0a").c_str(), 0700), 0);
  fs::create_symlink("README", m_image / "link");
  const auto mask = ::umask(022);
  const auto taken = take_compiled_library(m_image, m_own);
  ::umask(mask);
  ASSERT_TRUE(taken);
  EXPECT_EQ(mode_of(m_own / "README"), 0644U);
  EXPECT_EQ(mode_of(m_own / "0a" / "0a12-d"), 0644U);
  for (const auto& folder : {m_own, m_own / "0a", m_own.parent_path()})
    EXPECT_EQ(mode_of(folder), 0755U) << folder;
  EXPECT_FALSE(fs::exists(fs::symlink_status(m_own / "link"))) << "Go makes no links";
}

TEST_F(CompiledLibrary, LeavesACacheThatIsThereAlone) {
  ASSERT_TRUE(base::make_folders(m_own));
  ASSERT_TRUE(take_compiled_library(m_image, m_own));
  EXPECT_TRUE(fs::is_empty(m_own));
}

TEST_F(CompiledLibrary, ThatOthersCanWriteIsNotTaken) {
  ASSERT_EQ(::chmod(m_image.c_str(), 0777), 0);
  ASSERT_TRUE(take_compiled_library(m_image, m_own));
  EXPECT_FALSE(fs::exists(m_own));
}

TEST_F(CompiledLibrary, OfAnImageIsNotTooOldForGo) {
  put_off_trimming(m_image);
  const auto written = base::read_file(m_image / "trim.txt").value();
  EXPECT_NEAR(std::stod(written), static_cast<double>(::time(nullptr)), 60);
  ASSERT_TRUE(base::write_file(m_image / "trim.txt", "1"));
  put_off_trimming(m_image);
  EXPECT_EQ(base::read_file(m_image / "trim.txt").value(), "1");
  put_off_trimming(m_own);
  EXPECT_FALSE(fs::exists(m_own));
}

TEST_F(CompiledLibrary, OfNoImageIsNothing) {
  for (const auto* name : {"missing", "image/README"}) {
    ASSERT_TRUE(take_compiled_library(m_folder.path() / name, m_own));
    EXPECT_FALSE(fs::exists(m_own.parent_path())) << name;
  }
}

}  // namespace
}  // namespace builder::go
