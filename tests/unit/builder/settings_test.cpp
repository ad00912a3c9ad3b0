// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "contract/layout.h"

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

TEST_F(FindCache, APathHasToBeAbsolute) {
  const auto settings = settle({{"PACHBUILD_CACHE_DIR", "relative"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().kind, base::ErrorKind::usage);
  EXPECT_EQ(settings.error().where, "PACHBUILD_CACHE_DIR");
  EXPECT_EQ(settings.error().what, "the cache folder must be an absolute path, not \"relative\"");
  const fs::path file = m_folder.path() / "file";
  ASSERT_TRUE(base::write_file(file, ""));
  const auto no_folder = settle({{"PACHBUILD_CACHE_DIR", file.string()}});
  ASSERT_FALSE(no_folder);
  EXPECT_EQ(no_folder.error().where, "PACHBUILD_CACHE_DIR");
  EXPECT_EQ(no_folder.error().what, file.string() + " is not a folder");
  EXPECT_EQ(no_folder.error().hint, "") << "only of a folder that others can change";
}

TEST_F(FindCache, OneThatIsNamedIsMade) {
  const fs::path cache = m_folder.path() / "new" / "cache";
  EXPECT_EQ(settle({{"PACHBUILD_CACHE_DIR", cache.string()}}).value().cache, cache);
  EXPECT_TRUE(fs::is_directory(cache));
}

TEST_F(FindCache, OneThatCannotBeWrittenIsAnError) {
  const auto cache = make("read-only", 0555);
  const auto searchable = make("no-search", 0666);
  const fs::path top = m_folder.path();
  ASSERT_EQ(::chmod(top.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(searchable.c_str(), 0600), 0);
  const auto look = [&](const fs::path& folder, const std::string& what) {
    const uid_t user = ::geteuid() == 0 ? 65534 : ::geteuid();
    if (::geteuid() == 0 && (::chown(folder.c_str(), user, user) != 0 || ::setresuid(user, user, user) != 0))
      ::_exit(2);
    const auto settings = settle({{"PACHBUILD_CACHE_DIR", folder.string()}});
    ::_exit(!settings && settings.error().what == what && settings.error().where == folder.string() ? 0 : 1);
  };
  EXPECT_EXIT(look(cache, "cannot write: permission denied"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(look(searchable, "cannot write: permission denied"), testing::ExitedWithCode(0), "");
}

class Settle : public FindCache {
 protected:
  [[nodiscard]] Settings with(Options options, process::Environment environment = {}) const {
    if (options.shim.empty()) options.shim = "/bin/true";
    environment["PACHBUILD_CACHE_DIR"] = make("cache", 0755).string();
    return builder::settle(options, environment).value();
  }
};

TEST_F(Settle, FoldersAreAbsoluteAndHaveDefaults) {
  const auto usual = with({});
  EXPECT_EQ(usual.source, "/pfs/source");
  EXPECT_EQ(usual.out, "/pfs/out");
  EXPECT_EQ(usual.language, "");
  const fs::path here = fs::current_path();
  for (const auto& [given, expected] : std::vector<std::pair<std::string, fs::path>>{
           {"/a", "/a"}, {"/a/", "/a"}, {"/a/b/../c", "/a/c"}, {"/a/.", "/a"}, {"a", here / "a"}}) {
    EXPECT_EQ(with({.source = given, .out = {}, .language = {}, .shim = {}}).source, expected) << given;
    EXPECT_EQ(with({.source = {}, .out = given, .language = {}, .shim = {}}).out, expected) << given;
  }
  EXPECT_EQ(with({.source = {}, .out = {}, .language = "go", .shim = {}}).language, "go");
}

TEST_F(Settle, TheShimIsAProgram) {
  const auto relative = fs::relative("/bin/true").string();
  EXPECT_EQ(with({.source = {}, .out = {}, .language = {}, .shim = relative}).shim, fs::absolute(relative));
  const auto folder = make("folder", 0755);
  for (const auto& [given, what] :
       {std::pair(folder, " is not a program"), {folder / "nothing", " does not exist"}}) {
    const auto settled = builder::settle({.source = {}, .out = {}, .language = {}, .shim = given.string()},
                                         {{"PACHBUILD_CACHE_DIR", make("cache", 0755).string()}});
    ASSERT_FALSE(settled);
    EXPECT_EQ(base::in_one_line(settled.error()),
              "--shim: " + given.string() + what + "; pass the path of worker-shim, or omit the option");
  }
}

TEST_F(Settle, TheDefaultStepsAreAskedForByAOne) {
  EXPECT_FALSE(with({}).default_steps_only);
  EXPECT_TRUE(with({}, {{"PACHBUILD_DEFAULT_STEPS", "1"}}).default_steps_only);
  for (const std::string value : {"", "0", "yes"})
    EXPECT_FALSE(with({}, {{"PACHBUILD_DEFAULT_STEPS", value}}).default_steps_only) << value;
  EXPECT_EQ(with({}, {{"A", "b"}}).environment.at("A"), "b");
}

TEST_F(Settle, TheShimIsBesideThisProgramOrInTheImage) {
  Options options;
  const auto settings = builder::settle(options, {{"PACHBUILD_CACHE_DIR", make("cache", 0755).string()}});
  const fs::path beside = base::own_folder().value() / contract::k_shim;
  boost::system::error_code error;
  if (fs::is_regular_file(beside, error)) {
    EXPECT_EQ(settings.value().shim, beside);
  } else if (fs::is_regular_file(contract::k_image_shim, error)) {
    EXPECT_EQ(settings.value().shim, contract::k_image_shim);
  } else {
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().kind, base::ErrorKind::unavailable);
  }
}

}  // namespace
}  // namespace builder
