// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cache/cleaning.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <optional>

#include "../variables_of_program.h"
#include "base/workspace.h"
#include "cache/builder_cache.h"
#include "pachbuild/cache/disk_use.h"
#include "pachbuild/local/results/result_store.h"
#include "process/child.h"

namespace cached {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;

constexpr time_t k_hour = 3600;

class CleaningTest : public testing::Test {
 protected:
  static std::string digest(char digit) { return std::string(64, digit); }
  [[nodiscard]] fs::path at(const std::string& path) const { return m_folder.path() / path; }
  [[nodiscard]] bool exists(const std::string& path) const { return fs::exists(at(path)); }
  void write(const std::string& path) const {
    ASSERT_TRUE(base::make_folders(at(path).parent_path()));
    ASSERT_TRUE(base::write_file(at(path), "content"));
  }
  void set_age(const std::string& path, time_t age) const {
    const timespec then{::time(nullptr) - age, 0};
    const std::array<timespec, 2> times = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, at(path).c_str(), times.data(), 0), 0);
  }

  // One or more of each kind.
  void fill() const {
    write("results/datums/aa/" + digest('a'));
    write("results/datums/bb/" + digest('b'));
    write("results/objects/cc/" + digest('c'));
    write("run/0123456789abcdef/logs/" + digest('a') + ".log");
    write("run/last/0123");
    write("run/last/0123.lock");
    write("run/commands/4567");
    write("run/digests-89ab");
    write("go/bundles/key/seal");
    write("go/locks/key");
    write("python/bundles/key/seal");
    write("python/bytecode/code");
    write("env/" + digest('e') + "/bin/program");
    write("python/uv/wheels-v6/wheel");
    write("python/chosen/choice");
    write("go/mod/module");
    write("go/build/package");
    write("lua/bundles/key/seal");
    write("lua/locks/key");
    write("lua/tools/download");
    write("lua/work/copy/main.lua");
    write("other-one/checked/note");
    write("tools/answer");
    write("images/one/go/mod/module");
    write("clusters/branch");
    write("shim/" + digest('f') + "/worker-shim");
    write("work/build-killed/lock");
    write("secret-key");
  }

  // "KIND entries [kept reason]" for each.
  std::vector<std::string> clean(const std::vector<std::string>& names, Mode mode = Mode::remove) {
    std::vector<const Kind*> chosen;
    for (const auto& name : names) chosen.push_back(find_kind(name));
    std::vector<std::string> told;
    m_bytes = 0;
    m_status = cached::clean(m_folder.path(), chosen, mode, [&](const Cleaned& cleaned) {
      m_bytes += cleaned.bytes;
      told.push_back(std::string(cleaned.kind->name) + " " + std::to_string(cleaned.entries));
      if (cleaned.kept > 0) told.back() += ", " + std::to_string(cleaned.kept) + ": " + cleaned.reason;
    });
    return told;
  }
  static std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (const auto& kind : kinds()) names.emplace_back(kind.name);
    return names;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (fs::recursive_directory_iterator entry(m_folder.path()), end; entry != end; ++entry) {
      if (!fs::is_directory(entry->path()))
        all.push_back(entry->path().lexically_relative(m_folder.path()).string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "clean.").value();
  base::Status m_status;
  std::uint64_t m_bytes = 0;
};

TEST(Kinds, AreThese) {
  std::string names;
  for (const auto& kind : kinds()) names += std::string(kind.name) + " ";
  EXPECT_EQ(names,
            "results logs records bundles bytecode environments python go languages tools images clusters "
            "shims preload "
            "scratch ");
  EXPECT_EQ(find_kind("go")->name, "go");
  EXPECT_EQ(find_kind("g"), nullptr);
  EXPECT_EQ(find_kind(""), nullptr);
}

TEST_F(CleaningTest, RemovesEverythingButTheKeyAndTheLocks) {
  fill();
  EXPECT_THAT(clean(all_names()), ElementsAre("results 2", "logs 1", "records 4", "bundles 3", "bytecode 1",
                                              "environments 1", "python 2", "go 2", "languages 3", "tools 1",
                                              "images 1", "clusters 1", "shims 1", "preload 0", "scratch 1"));
  EXPECT_TRUE(m_status);
  EXPECT_THAT(files(), ElementsAre("lock", "results/lock", "secret-key"));
  EXPECT_TRUE(fs::is_empty(at("work")));
}

TEST_F(CleaningTest, TellsWhatWouldGoAndChangesNothing) {
  fill();
  const auto before = files();
  EXPECT_THAT(clean(all_names(), Mode::only_tell),
              ElementsAre("results 2", "logs 1", "records 4", "bundles 3", "bytecode 1", "environments 1",
                          "python 2", "go 2", "languages 3", "tools 1", "images 1", "clusters 1", "shims 1",
                          "preload 0", "scratch 1"));
  const auto told = m_bytes;
  for (const auto& file : before) EXPECT_TRUE(exists(file)) << file;
  EXPECT_TRUE(exists("work/build-killed"));
  clean(all_names());
  EXPECT_GT(told, 0U);
  EXPECT_EQ(m_bytes, told);
}

TEST_F(CleaningTest, RemovesOnlyWhatWasChosen) {
  fill();
  EXPECT_THAT(clean({"bytecode"}), ElementsAre("bytecode 1"));
  EXPECT_FALSE(exists("python/bytecode/code"));
  EXPECT_TRUE(exists("python/bundles/key"));
  EXPECT_THAT(clean({"bundles"}), ElementsAre("bundles 3"));
  EXPECT_FALSE(exists("go/bundles/key"));
  EXPECT_FALSE(exists("go/locks/key"));
  EXPECT_TRUE(exists("go/mod/module"));
  EXPECT_THAT(clean({"python"}), ElementsAre("python 2"));
  EXPECT_FALSE(exists("python/uv"));
  EXPECT_TRUE(exists("go/build/package"));
  EXPECT_TRUE(exists("results/datums/aa"));
}

TEST_F(CleaningTest, WhatAnEmptyCacheHasIsNothing) {
  for (const auto& line : clean(all_names(), Mode::only_tell)) EXPECT_TRUE(line.ends_with(" 0")) << line;
  EXPECT_EQ(m_bytes, 0U);
  EXPECT_FALSE(exists("results"));
  for (const auto& line : clean(all_names())) EXPECT_TRUE(line.ends_with(" 0")) << line;
  EXPECT_EQ(m_bytes, 0U);
}

TEST_F(CleaningTest, WhileABuildRunsWhatBuildsKeepStays) {
  fill();
  const auto build = caches::lock_for_build(m_folder.path()).value();
  EXPECT_THAT(clean({"bundles", "bytecode", "environments", "python", "go", "languages", "tools", "results"}),
              ElementsAre("results 2", "bundles 0, 3: a build is running",
                          "bytecode 0, 1: a build is running", "environments 0, 1: a build is running",
                          "python 0, 2: a build is running", "go 0, 2: a build is running",
                          "languages 0, 3: a build is running", "tools 0, 1: a build is running"));
  EXPECT_TRUE(m_status);
  EXPECT_TRUE(exists("go/bundles/key/seal"));
  EXPECT_TRUE(exists("go/locks/key"));
}

TEST_F(CleaningTest, WhileThereIsARunWhatRunsKeepStays) {
  fill();
  set_age("env/" + digest('e'), 3 * k_hour);
  write("env/" + digest('d') + "/bin/program");
  const auto run = local::ResultStore::open(m_folder.path()).value();
  EXPECT_THAT(clean({"results", "logs", "records", "clusters", "shims", "images", "bundles", "environments"}),
              ElementsAre("results 0, 2: a run is in progress", "logs 0, 1: a run is in progress",
                          "records 0, 4: a run is in progress", "bundles 3",
                          "environments 1, 1: a run is in progress", "images 0, 1: a run is in progress",
                          "clusters 0, 1: a run is in progress", "shims 0, 1: a run is in progress"));
  EXPECT_FALSE(exists("env/" + digest('e')));
  EXPECT_TRUE(exists("env/" + digest('d')));
  EXPECT_TRUE(exists("results/objects/cc"));
}

TEST_F(CleaningTest, DuringARunAnEnvironmentStaysForTwoHours) {
  write("env/" + digest('d') + "/x");
  write("env/" + digest('e') + "/x");
  set_age("env/" + digest('d'), 2 * k_hour - 60);
  set_age("env/" + digest('e'), 2 * k_hour + 60);
  const auto run = local::ResultStore::open(m_folder.path()).value();
  EXPECT_THAT(clean({"environments"}), ElementsAre("environments 1, 1: a run is in progress"));
  EXPECT_TRUE(exists("env/" + digest('d')));
  EXPECT_FALSE(exists("env/" + digest('e')));
}

TEST_F(CleaningTest, AnEnvironmentThatAProgramRunsFromStays) {
  fill();
  set_age("env/" + digest('e'), 100 * k_hour);
  auto program =
      process::Child::start({.arguments = {"/bin/sleep", "100"},
                             .environment = {{"PACHBUILD_ENV", at("env/" + digest('e')).string()}}});
  ASSERT_TRUE(program);
  ASSERT_TRUE(wait_for_variables(program->pid()));
  EXPECT_THAT(clean({"environments"}), ElementsAre("environments 0, 1: in use by a program"));
  EXPECT_TRUE(exists("env/" + digest('e') + "/bin/program"));
  program->signal_group(SIGKILL);
  ASSERT_TRUE(program->wait());
  EXPECT_THAT(clean({"environments"}), ElementsAre("environments 1"));
}

TEST_F(CleaningTest, TheCacheOfAnImageThatIsUsedStays) {
  write("images/used/go/mod/module");
  write("images/unused/go/mod/module");
  const auto build = caches::lock_for_build(at("images/used")).value();
  EXPECT_THAT(clean({"images"}), ElementsAre("images 1, 1: a build is running"));
  EXPECT_TRUE(exists("images/used/go/mod/module"));
  EXPECT_FALSE(exists("images/unused"));
}

TEST_F(CleaningTest, APreloadedPythonStays) {
  ASSERT_TRUE(base::make_folders(at("preload/hook")));
  std::vector<base::UniqueFd> sockets;
  for (const std::string name : {"alive", "dead"}) {
    sockets.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = at("preload/" + name).string();
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as bind(2) has it
    ASSERT_EQ(::bind(sockets.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    write("preload/" + name + ".lock");
  }
  const auto lock = base::FileLock::acquire(at("preload/alive.lock")).value();
  EXPECT_THAT(clean({"preload"}), ElementsAre("preload 1, 1: in use by a program"));
  EXPECT_TRUE(fs::exists(fs::symlink_status(at("preload/alive"))));
  EXPECT_TRUE(exists("preload/alive.lock"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(at("preload/dead"))));
  EXPECT_FALSE(exists("preload/dead.lock"));
  EXPECT_TRUE(exists("preload/hook"));
}

TEST_F(CleaningTest, AWorkspaceWithAnOwnerStays) {
  const auto run = base::Workspace::make(at("run"), ".pachbuild-").value();
  const auto build = caches::make_workspace(m_folder.path()).value();
  write("run/.pachbuild-killed/lock");
  write("run/source-killed/lock");
  write("run/0123456789abcdef/logs/x.log");
  write("results/work-killed/lock");
  EXPECT_THAT(clean({"scratch"}, Mode::only_tell), ElementsAre("scratch 3, 2: in use by a program"));
  EXPECT_TRUE(exists("run/source-killed"));
  EXPECT_THAT(clean({"scratch"}), ElementsAre("scratch 3, 2: in use by a program"));
  EXPECT_FALSE(exists("run/.pachbuild-killed"));
  EXPECT_FALSE(exists("run/source-killed"));
  EXPECT_FALSE(exists("results/work-killed"));
  EXPECT_TRUE(exists("run/0123456789abcdef/logs/x.log"));
  EXPECT_TRUE(fs::exists(run.path()));
  EXPECT_TRUE(fs::exists(build.path()));
}

TEST_F(CleaningTest, CountsWhatIsFreedAndNotWhatIsHeldElsewhere) {
  fill();
  fs::create_hard_link(at("go/bundles/key/seal"), at("output"));
  DiskUse use;
  ASSERT_TRUE(use.add(at("go/bundles/key")));
  ASSERT_TRUE(use.add(at("python/bundles/key")));
  ASSERT_TRUE(use.add(at("lua/bundles/key")));
  EXPECT_LT(use.bytes_freed(), use.bytes());
  clean({"bundles"});
  EXPECT_EQ(m_bytes, use.bytes_freed());
}

TEST_F(CleaningTest, WhatCannotBeRenamedIsAnErrorAndTheRestGoes) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fill();
  ASSERT_EQ(::chmod(at("tools").c_str(), 0500), 0);
  EXPECT_THAT(clean({"tools", "clusters"}), ElementsAre("tools 0", "clusters 1"));
  ASSERT_FALSE(m_status);
  EXPECT_TRUE(exists("tools/answer"));
  EXPECT_FALSE(exists("clusters/branch"));
  ASSERT_EQ(::chmod(at("tools").c_str(), 0700), 0);
}

}  // namespace
}  // namespace cached
