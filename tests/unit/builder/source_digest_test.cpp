// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/source_digest.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

namespace builder {
namespace {

namespace fs = base::fs;

class DigestOfFolder : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "digest.").value();

  fs::path make(const std::string& name) {
    const fs::path folder = m_folder.path() / name;
    EXPECT_TRUE(base::make_folders(folder / "sub"));
    EXPECT_TRUE(base::write_file(folder / "sub" / "f", "text"));
    return folder;
  }
  static std::string digest(const fs::path& folder) { return digest_of_folder(folder).value(); }
};

TEST_F(DigestOfFolder, DoesNotDependOnPlaceOrMode) {
  const fs::path one = make("one");
  const fs::path two = make("two");
  ASSERT_EQ(::chmod((two / "sub" / "f").c_str(), 0600), 0);
  EXPECT_EQ(digest(one), digest(two));
}

TEST_F(DigestOfFolder, DependsOnNamesAndContent) {
  const fs::path folder = make("one");
  const auto before = digest(folder);
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "texT"));
  EXPECT_NE(digest(folder), before);
  ASSERT_TRUE(base::write_file(folder / "sub" / "f", "text"));
  EXPECT_EQ(digest(folder), before);
  ASSERT_TRUE(base::rename_path(folder / "sub" / "f", folder / "sub" / "g"));
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, FollowsLinksAndEndsInCircles) {
  const fs::path folder = make("one");
  const fs::path other = make("other");
  fs::create_symlink("..", folder / "sub" / "up");
  fs::create_symlink(other, folder / "other");
  fs::create_symlink("nowhere", folder / "broken");
  const auto before = digest(folder);
  ASSERT_TRUE(base::write_file(other / "sub" / "f", "changed"));
  EXPECT_NE(digest(folder), before);
}

TEST_F(DigestOfFolder, APipeIsAnErrorAndNoWait) {
  const fs::path folder = make("one");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(digest_of_folder(folder).error().what, "is neither a file nor a folder");
}

}  // namespace
}  // namespace builder
