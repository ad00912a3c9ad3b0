// SPDX-License-Identifier: Apache-2.0
#include "contract/builders.h"

#include <gtest/gtest.h>

#include "contract/layout.h"

namespace contract {
namespace {

TEST(Builders, HaveNamesThatNoFolderOfACacheHas) {
  for (const std::string name : {"a", "r", "node", "c-2", "x-"}) EXPECT_TRUE(is_builder_name(name)) << name;
  for (const std::string name : {"", "A", "2a", "-a", "a_b", "a.b", "a/b", "é"})
    EXPECT_FALSE(is_builder_name(name)) << name;
  EXPECT_TRUE(is_builder_name(std::string(40, 'a')));
  EXPECT_FALSE(is_builder_name(std::string(41, 'a')));
  for (const auto name : k_cache_folders) EXPECT_FALSE(is_builder_name(name)) << name;
  EXPECT_FALSE(is_builder_name(k_cache_environments));
  EXPECT_FALSE(is_builder_name(k_cache_shims));
  EXPECT_FALSE(is_builder_name(k_cache_interpreters));
}

TEST(Builders, AreBesideThePrograms) {
  EXPECT_EQ(builders_folder("/usr/local/bin"), "/usr/local/share/pachbuild/builders");
}

TEST(Builders, AreListedByName) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "builders.").value();
  for (const std::string name : {"toy", "game", "Bad", "env"}) {
    ASSERT_TRUE(base::make_folders(folder.path() / name));
    ASSERT_TRUE(base::write_file(folder.path() / name / k_builder_file, ""));
  }
  ASSERT_TRUE(base::make_folders(folder.path() / "empty"));
  ASSERT_TRUE(base::write_file(folder.path() / "file", ""));
  EXPECT_EQ(installed_builders(folder.path()), (std::vector<std::string>{"game", "toy"}));
  EXPECT_EQ(installed_builders(folder.path() / "none"), std::vector<std::string>());
}

}  // namespace
}  // namespace contract
