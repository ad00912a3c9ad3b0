// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

namespace builder {
namespace {

class FindCache : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "settings.").value();

  [[nodiscard]] fs::path make(const std::string& name, mode_t mode) const {
    const fs::path folder = m_folder.path() / name;
    EXPECT_TRUE(base::make_folders(folder));
    EXPECT_EQ(::chmod(folder.c_str(), mode), 0);
    return folder;
  }
  [[nodiscard]] base::Result<Settings> settle(process::Environment environment) const {
    return builder::settle({.source = {}, .out = {}, .language = {}, .shim = "/bin/true"},
                           std::move(environment));
  }
};

TEST_F(FindCache, OneThatOthersCanChangeIsRefused) {
  EXPECT_TRUE(settle({{"PACHBUILD_CACHE_DIR", make("private", 0755).string()}}));
  for (const mode_t mode : {0777U, 0757U}) {
    const auto settings = settle({{"PACHBUILD_CACHE_DIR", make("open", mode).string()}});
    ASSERT_FALSE(settings) << mode;
    EXPECT_EQ(settings.error().kind, base::ErrorKind::cannot_write);
    EXPECT_NE(settings.error().hint.find("name one in PACHBUILD_CACHE_DIR"), std::string::npos);
  }
}

TEST_F(FindCache, OneThatASharedGroupCanChangeIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another group";
  const fs::path shared = make("shared", 0775);
  constexpr gid_t k_shared = 54321;
  ASSERT_EQ(::chown(shared.c_str(), 0, k_shared), 0);
  ASSERT_EQ(::chmod(shared.c_str(), 0775), 0);
  EXPECT_FALSE(settle({{"PACHBUILD_CACHE_DIR", shared.string()}}));
  ASSERT_EQ(::chmod(shared.c_str(), 0755), 0);
  EXPECT_TRUE(settle({{"PACHBUILD_CACHE_DIR", shared.string()}}));
}

TEST_F(FindCache, OneThatNobodyHasChosenIsPassedOver) {
  const fs::path open = make("open", 0777);
  ASSERT_TRUE(base::make_folders(open / "pachbuild"));
  const fs::path home = make("home", 0755);
  // Root may use the cache of an image, or make it.
  constexpr uid_t k_nobody = 65534;
  if (::geteuid() == 0) {
    for (const auto& folder : {home.parent_path(), home, open, open / "pachbuild"})
      ASSERT_EQ(::chown(folder.c_str(), k_nobody, k_nobody), 0);
  }
  const auto cache_of_nobody = [&] {
    if (::geteuid() == 0 && ::setresuid(k_nobody, k_nobody, k_nobody) != 0) ::_exit(2);
    const bool has_image_cache = ::access("/var/cache/pachbuild", W_OK) == 0;
    const auto settings = settle({{"XDG_CACHE_HOME", open.string()}, {"HOME", home.string()}});
    ::_exit(has_image_cache || (settings && settings->cache == home / ".cache" / "pachbuild") ? 0 : 1);
  };
  EXPECT_EXIT(cache_of_nobody(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace builder
