// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

#include "../nobody.h"
#include "../steps.h"
#include "base/errors.h"
#include "base/files.h"

namespace shim {
namespace {

namespace fs = boost::filesystem;

const std::string k_environment(64, 'a');
constexpr uid_t k_stranger = 54321;

class Cache : public testing::Test {
 protected:
  // No other test knows of these folders, and none exists yet.
  Cache() {
    m_settings.chosen = path("chosen");
    m_settings.image = path("image");
    m_settings.private_folder = path("private");
    m_settings.user = ::geteuid();
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  void make(const std::string& name, mode_t mode) const {
    fs::create_directories(path(name));
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  }

  // What looking for the environment gives: its path, or the error.
  [[nodiscard]] std::string find() const {
    const auto found = find_environment(m_settings, k_environment);
    return found ? *found : base::format_error(found.error());
  }

  [[nodiscard]] std::string make_environments() const {
    const auto made = make_environments_folder(m_settings);
    return made ? *made : base::format_error(made.error());
  }

  [[nodiscard]] mode_t mode_of(const std::string& name) const {
    struct stat status{};
    return ::stat(path(name).c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }

  [[nodiscard]] std::string distrust(const std::string& name, const std::string& reason) const {
    return "error: " + path(name) + ": cannot be trusted: " + reason +
           "\nhint: set PACHBUILD_CACHE_DIR to a folder that only this user and root can change, like all "
           "folders "
           "above it (chmod go-w; chmod +t where others must be able to write)\n";
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "cache.").value();
  CacheSettings m_settings;
};

TEST_F(Cache, FindsNothingWhereNothingIs) {
  EXPECT_EQ(find(), "");
  make("chosen", 0755);
  EXPECT_EQ(find(), "");
  make("chosen/env", 0755);
  EXPECT_EQ(find(), "");
}

TEST_F(Cache, TheChosenFolderIsTheOnlyOne) {
  make("image/env/" + k_environment, 0755);
  EXPECT_EQ(find(), "");
  make("chosen/env/" + k_environment, 0755);
  EXPECT_EQ(find(), path("chosen/env/" + k_environment));
}

TEST_F(Cache, WithoutAChoiceTheImageComesFirst) {
  m_settings.chosen.clear();
  make("private/env/" + k_environment, 0755);
  make("private", 0700);
  EXPECT_EQ(find(), path("private/env/" + k_environment));
  make("image/env/" + k_environment, 0755);
  EXPECT_EQ(find(), path("image/env/" + k_environment));
}

TEST_F(Cache, AChosenFolderThatOthersCanWriteIsRefused) {
  make("chosen/env/" + k_environment, 0755);
  make("chosen", 0757);
  EXPECT_EQ(find(), distrust("chosen", "other users can write to it"));
  make("chosen", 01777);
  EXPECT_EQ(find(), path("chosen/env/" + k_environment)) << "the sticky bit protects what is ours";
  make("chosen/env", 01777);
  EXPECT_EQ(find(), distrust("chosen/env", "other users can write to it"))
      << "but anybody could have made an environment";
}

TEST_F(Cache, OnlyThePrivateGroupOfTheUserMayWrite) {
  make("chosen/env/" + k_environment, 0755);
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another group";
  for (const auto& name : {std::string("chosen"), std::string("chosen/env"), "chosen/env/" + k_environment}) {
    make(name, 0775);
    EXPECT_EQ(find(), distrust(name, "other users can write to it")) << "uid 0, gid 0";
    make(name, 0755);
  }
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  m_settings.user = k_stranger;
  for (const auto& name : {std::string("chosen"), std::string("chosen/env"), "chosen/env/" + k_environment}) {
    ASSERT_EQ(::chown(path(name).c_str(), k_stranger, k_stranger), 0);
    make(name, 0775);
  }
  EXPECT_EQ(find(), path("chosen/env/" + k_environment));
}

TEST_F(Cache, AFolderOfAnotherUserIsRefused) {
  make("chosen/env/" + k_environment, 0755);
  // Seen by another user, it is one of ours: root's folders are trusted by all.
  m_settings.user = k_stranger;
  const uid_t owner = ::geteuid();
  if (owner == 0) {
    EXPECT_EQ(find(), path("chosen/env/" + k_environment));
    ASSERT_EQ(::chown(path("chosen").c_str(), k_stranger + 1, 0), 0);
  }
  const uid_t stranger = owner == 0 ? k_stranger + 1 : owner;
  // Not root's is the folder above it already.
  const std::string refused = owner == 0 ? path("chosen") : m_folder.path().string();
  EXPECT_EQ(find().find("error: " + refused + ": cannot be trusted: belongs to another user (uid " +
                        std::to_string(stranger) + ")\n"),
            0U);
}

TEST_F(Cache, EnvironmentsBehindALinkAreRefused) {
  make("elsewhere/" + k_environment, 0755);
  make("chosen", 0755);
  fs::create_symlink(path("elsewhere"), path("chosen/env"));
  EXPECT_EQ(find(), distrust("chosen/env", "is a symbolic link"));
}

TEST_F(Cache, AnEnvironmentOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another user";
  make("chosen/env/" + k_environment, 0755);
  ASSERT_EQ(::chown(path("chosen/env/" + k_environment).c_str(), k_stranger, 0), 0);
  EXPECT_EQ(find(), distrust("chosen/env/" + k_environment, "belongs to another user (uid 54321)"));
}

TEST_F(Cache, FoldersAboveAreHeldToTheRuleToo) {
  make("above/chosen/env/" + k_environment, 0755);
  m_settings.chosen = path("above/chosen");
  EXPECT_EQ(find(), path("above/chosen/env/" + k_environment));
  make("above", 0777);
  EXPECT_EQ(find(), distrust("above", "other users can write to it"));
  EXPECT_EQ(make_environments(), distrust("above", "other users can write to it"));
  m_settings.chosen = path("above/new");
  EXPECT_EQ(make_environments(), distrust("above", "other users can write to it"));
  EXPECT_FALSE(fs::exists(path("above/new")));
  make("above", 01777);
  EXPECT_EQ(make_environments(), path("above/new/env"));
  EXPECT_EQ(mode_of("above/new"), 0755U);
}

TEST_F(Cache, ThePrivateFolderNeedsTheStickyBitAboveIt) {
  m_settings.chosen.clear();
  make("tmp/private/env/" + k_environment, 0755);
  make("tmp/private", 0700);
  m_settings.private_folder = path("tmp/private");
  make("tmp", 01777);
  EXPECT_EQ(find(), path("tmp/private/env/" + k_environment));
  make("tmp", 0777);
  EXPECT_EQ(find(), distrust("tmp", "other users can write to it"));
}

TEST_F(Cache, ALinkInPlaceOfAnEnvironmentIsRefused) {
  make("chosen/env", 0755);
  make("elsewhere", 0755);
  fs::create_symlink(path("elsewhere"), path("chosen/env/" + k_environment));
  EXPECT_EQ(find(), distrust("chosen/env/" + k_environment, "is a symbolic link"));
}

TEST_F(Cache, AnImageFolderThatCannotBeTrustedIsPassedOver) {
  m_settings.chosen.clear();
  make("image/env/" + k_environment, 0755);
  make("image", 0777);
  EXPECT_EQ(find(), "");
  EXPECT_EQ(make_environments(), path("private/env"));
}

TEST_F(Cache, ThePrivateFolderIsPrivateOrRefused) {
  m_settings.chosen.clear();
  make("private", 0755);
  EXPECT_EQ(find(), distrust("private", "its mode is not 0700"));
  fs::remove(path("private"));
  make("elsewhere", 0700);
  fs::create_symlink(path("elsewhere"), path("private"));
  EXPECT_EQ(find(), distrust("private", "is a symbolic link"));
}

TEST_F(Cache, TheChoiceMustBeUsableInPath) {
  m_settings.chosen = "relative";
  EXPECT_EQ(find(),
            "error: PACHBUILD_CACHE_DIR: the cache folder must be an absolute path, not \"relative\"\n");
  ASSERT_TRUE(base::write_file(path("file"), ""));
  m_settings.chosen = path("file");
  EXPECT_EQ(find(), "error: PACHBUILD_CACHE_DIR: " + path("file") + " is not a folder\n");
  m_settings.chosen = "/a:b";
  EXPECT_EQ(find(), "error: PACHBUILD_CACHE_DIR: '/a:b' has a ':', which PATH cannot hold\n");
}

TEST_F(Cache, MakesTheChosenFolderWithAllAboveIt) {
  m_settings.chosen = path("a/b/c");
  EXPECT_EQ(make_environments(), path("a/b/c/env"));
  EXPECT_TRUE(fs::is_directory(path("a/b/c/env")));
}

TEST_F(Cache, MakesTheImageFolderOrElseThePrivateOne) {
  m_settings.chosen.clear();
  EXPECT_EQ(make_environments(), path("image/env"));
  m_settings.image = path("no/such/parent");
  EXPECT_EQ(make_environments(), path("private/env"));
  EXPECT_EQ(mode_of("private"), 0700U);
}

TEST_F(Cache, SaysWhyTheChosenFolderCannotBeMade) {
  ASSERT_TRUE(base::write_file(path("file"), ""));
  m_settings.chosen = path("file/cache");
  EXPECT_EQ(make_environments(), "error: " + path("file") + ": is not a folder\n");
}

TEST_F(Cache, ThePrivateFolderIsTheUsersOwn) {
  m_settings.chosen.clear();
  for (const mode_t mode : {0701U, 0710U, 0704U, 0777U}) {
    make("private", mode);
    EXPECT_NE(find().find("cannot be trusted: "), std::string::npos) << mode;
    EXPECT_NE(make_environments(), path("private/env")) << mode;
  }
  make("private", 0700);
  EXPECT_EQ(find(), "");
  // Root's folders are trusted by all elsewhere.
  m_settings.user = k_stranger;
  const uid_t owner = ::geteuid();
  if (owner == 0) {
    EXPECT_EQ(find(), distrust("private", "belongs to another user (uid 0)"));
  }
}

TEST_F(Cache, WhatCannotBeMadeIsToldOfTheFolderThatWasChosen) {
  const auto failing = [&](const std::string& call, const std::string& folder) {
    const steps::Watch watch(
        [&](std::string_view name, std::string_view where) {
          return name == call && where.ends_with(folder) ? EIO : 0;
        },
        steps::Calls::all);
    return make_environments();
  };
  make("chosen", 0755);
  EXPECT_EQ(failing("mkdir", "env"),
            "error: " + path("chosen/env") + ": cannot create: Input/output error\n");
  m_settings.chosen.clear();
  EXPECT_EQ(failing("mkdir", "image"), path("private/env")) << "the private one will do";
  m_settings.image = path("no/such/parent");
  m_settings.private_folder = path("second");
  EXPECT_EQ(failing("mkdir", "second"), "error: " + path("second") + ": cannot create: Input/output error\n");
  make("second", 0700);
  EXPECT_EQ(failing("mkdir", "env"),
            "error: " + path("second/env") + ": cannot create: Input/output error\n");
  m_settings.image = path("image");
  const mode_t umask = ::umask(0);
  EXPECT_EQ(make_environments(), path("image/env"));
  ::umask(umask);
  EXPECT_EQ(mode_of("image"), 0755U);
  EXPECT_EQ(mode_of("image/env"), 0755U);
  EXPECT_EQ(mode_of("private"), 0700U);
}

TEST_F(Cache, WhereThisUserMayNotWriteNothingIsMade) {
  make("chosen/env", 0555);
  make("image/env", 0555);
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  // The folders are root's, who is trusted, or the user's own.
  const auto told = [&] {
    const Nobody nobody;
    if (m_settings.user == 0) m_settings.user = ::geteuid();
    return make_environments();
  };
  EXPECT_EQ(told(), "error: " + path("chosen/env") + ": cannot write: permission denied\n");
  m_settings.chosen.clear();
  m_settings.private_folder = path("no/such/parent");
  EXPECT_EQ(told(), "error: " + path("no/such/parent") + ": cannot create: no such file or folder\n");
}

TEST_F(Cache, AnEnvironmentOfOthersIsRefusedBeforeItIsReplaced) {
  const auto check = [&] {
    const auto status = check_environment_of_others(path("env"), k_environment, m_settings.user);
    return status ? "" : base::format_error(status.error());
  };
  EXPECT_EQ(check(), "") << "nothing is there";
  make("env", 0755);
  EXPECT_EQ(check(), "");
  make("env/" + k_environment, 0755);
  EXPECT_EQ(check(), "");
  make("env/" + k_environment, 0777);
  EXPECT_EQ(check(), distrust("env/" + k_environment, "other users can write to it"));
  make("env/" + k_environment, 0755);
  make("env", 0777);
  EXPECT_EQ(check(), distrust("env", "other users can write to it"));
  make("env", 0755);
  fs::remove_all(path("env/" + k_environment));
  fs::create_symlink(path("env"), path("env/" + k_environment));
  EXPECT_EQ(check(), distrust("env/" + k_environment, "is a symbolic link"));
}

TEST(CacheSettingsOfThisProcess, AreTheVariableAndTheUser) {
  const char* const before = std::getenv("PACHBUILD_CACHE_DIR");
  const std::string kept = before == nullptr ? "" : before;
  ::unsetenv("PACHBUILD_CACHE_DIR");
  auto settings = current_cache_settings();
  EXPECT_EQ(settings.chosen, "");
  EXPECT_EQ(settings.image, "/var/cache/pachbuild");
  EXPECT_EQ(settings.private_folder, "/tmp/pachbuild-" + std::to_string(::geteuid()));
  EXPECT_EQ(settings.user, ::geteuid());
  ::setenv("PACHBUILD_CACHE_DIR", "/chosen", 1);
  EXPECT_EQ(current_cache_settings().chosen, "/chosen");
  ::unsetenv("PACHBUILD_CACHE_DIR");
  if (before != nullptr) ::setenv("PACHBUILD_CACHE_DIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace shim
