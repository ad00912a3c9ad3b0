// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/watch/watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "base/unique_fd.h"

namespace {

namespace fs = base::fs;
using local::WatchedRoot;
using local::Watcher;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = WatchedRoot::Kind;

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() {
    for (const auto* name : {"source/package", "data/inner", "specs/more"})
      fs::create_directories(m_root / name);
    write("source/main.py", "one");
    write("source/package/code.py", "one");
    write("data/a.txt", "one");
    write("data/inner/b.txt", "one");
    write("specs/pipeline.json", "{}");
    m_roots = {{m_root / "source", Kind::source, "source"},
               {m_root / "data", Kind::data, "data"},
               {m_root / "specs", Kind::specs, "specs"},
               {m_root / "secret", Kind::file, "secret"}};
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // no file is fresh
    m_watcher.watch(m_roots);
  }

  void write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::write_file(m_root / path, content));
  }
  // Into the file that is there.
  void write_in_place(const std::string& path, const std::string& content) {
    const base::UniqueFd file(::open((m_root / path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    ASSERT_EQ(::write(file.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }

  void make_and_remove(const std::string& path) {
    const base::UniqueFd file(::open((m_root / path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::unlink((m_root / path).c_str()), 0);
  }

  // Takes events until none has come for a moment.
  void take_all() {
    pollfd entry{m_watcher.descriptor(), POLLIN, 0};
    constexpr int k_quiet_ms = 25;
    while (::poll(&entry, 1, k_quiet_ms) > 0) m_watcher.take_events();
  }
  std::vector<std::string> changed() {
    take_all();
    return told(m_watcher.look());
  }
  std::vector<std::string> told(const std::vector<Watcher::Change>& changes) {
    std::vector<std::string> names;
    for (const auto& change : changes) {
      const auto& name = m_roots[change.root].name;
      names.push_back(change.path.empty() ? name : name + "/" + change.path);
    }
    return names;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(fs::temp_directory_path(), "watcher-").value();
  fs::path m_root = m_folder.path();
  std::vector<WatchedRoot> m_roots;
  Watcher m_watcher{{m_root / "specs/out"}};
};

TEST_F(WatcherTest, TellsEachWayOfWritingAFile) {
  EXPECT_THAT(changed(), IsEmpty());
  write_in_place("source/main.py", "two");
  EXPECT_THAT(changed(), ElementsAre("source/main.py"));
  write("source/main.py", "three");  // by a rename
  EXPECT_THAT(changed(), ElementsAre("source/main.py"));
  fs::rename(m_root / "source/main.py", m_root / "source/main.py~");  // as vim keeps a backup
  write("source/main.py", "four");
  fs::remove(m_root / "source/main.py~");
  EXPECT_THAT(changed(), ElementsAre("source/main.py"));
  fs::remove(m_root / "source/package/code.py");
  EXPECT_THAT(changed(), ElementsAre("source/package/code.py"));
  fs::create_hard_link(m_root / "source/main.py", m_root / "source/package/code.py");
  EXPECT_THAT(changed(), ElementsAre("source/package/code.py"));
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(WatcherTest, ALastingStampDoesNotHideASecondWrite) {
  for (int i = 0; i < 50; ++i) {
    write_in_place("source/main.py", "aaa");
    m_watcher.take_events();
    m_watcher.look();  // at once: the kernel's clock may not have ticked
    write_in_place("source/main.py", "bbb");
    m_watcher.take_events();
    ASSERT_THAT(told(m_watcher.look()), ElementsAre("source/main.py")) << i;
  }
}

TEST_F(WatcherTest, WhatDoesNotCountIsNotTold) {
  fs::create_directories(m_root / "source/__pycache__");
  write("source/__pycache__/main.pyc", "code");
  fs::create_directories(m_root / "source/.git");
  write("source/.git/index", "index");
  fs::create_directories(m_root / "data/.pachbuild");
  write("data/.pachbuild/output.json", R"({"version": 1, "content": {}})");
  write("specs/README.md", "text");
  fs::create_directories(m_root / "specs/out");
  write("specs/out/result.json", "{}");
  write("other", "not in a root");
  changed();
  write("source/__pycache__/main.pyc", "code 2");
  write("specs/out/result.json", "{ }");
  EXPECT_THAT(changed(), IsEmpty());
  write("specs/more/second.yaml", "a: 1");
  EXPECT_THAT(changed(), ElementsAre("specs/more/second.yaml"));
}

TEST_F(WatcherTest, WhatCameAndWentIsToldToWhoMayHaveSeenItWhereNothingElseChanged) {
  const auto make_some = [&] {
    make_and_remove("source/4913");
    make_and_remove("source/main.py~");  // an editor's, which never counts
    take_all();
  };
  make_some();
  EXPECT_THAT(told(m_watcher.look(/*with_passing=*/true)), ElementsAre("source/4913"));
  make_some();
  EXPECT_THAT(told(m_watcher.look(/*with_passing=*/false)), IsEmpty());
  write_in_place("source/main.py", "two");
  make_some();
  EXPECT_THAT(told(m_watcher.look(/*with_passing=*/true)), ElementsAre("source/main.py"));
}

TEST_F(WatcherTest, WhatWentAndCameIsToldToWhoMayHaveMissedIt) {
  for (const std::string folder : {"source/package", "source", "data/inner"}) {
    const auto go_and_come = [&] {
      fs::rename(m_root / folder, m_root / "away");
      fs::rename(m_root / "away", m_root / folder);
      take_all();
    };
    go_and_come();
    EXPECT_THAT(told(m_watcher.look(/*with_passing=*/true)), ElementsAre(folder));
    go_and_come();
    EXPECT_THAT(told(m_watcher.look(/*with_passing=*/false)), IsEmpty()) << folder;
    EXPECT_THAT(told(m_watcher.look(/*with_passing=*/true)), IsEmpty()) << "it was told once";
    write(folder + "/new.txt", "");
    EXPECT_THAT(changed(), ElementsAre(folder + "/new.txt")) << "it is still watched";
  }
}

TEST_F(WatcherTest, TheIgnoreFileDecidesFromThenOn) {
  write("source/.pachignore", "*.log\nnotes/\n");
  EXPECT_THAT(changed(), ElementsAre("source/.pachignore"));
  write("source/a.log", "text");
  fs::create_directories(m_root / "source/notes");
  write("source/notes/today", "text");
  EXPECT_THAT(changed(), IsEmpty());
  write("source/.pachignore", "*.log\n");
  EXPECT_THAT(changed(), ElementsAre("source/.pachignore"));
  write("source/notes/today", "text 2");
  EXPECT_THAT(changed(), ElementsAre("source/notes/today"));
  write("source/.pachignore", "[\n");  // the round says what is wrong with it
  EXPECT_THAT(changed(), ElementsAre("source/.pachignore"));
  write("source/a.log", "text 2");
  EXPECT_THAT(changed(), ElementsAre("source/a.log"));
}

TEST_F(WatcherTest, LinesOfGitignoreFilesDecideFromThenOn) {
  fs::create_directories(m_root / "source/sub/deep");
  write("source/sub/deep/a.csv", "text");
  EXPECT_THAT(changed(), ElementsAre("source/sub/deep/a.csv"));
  write("source/sub/.gitignore", "*.csv\n");
  EXPECT_THAT(changed(), ElementsAre("source/sub/.gitignore"));
  write("source/sub/deep/a.csv", "text 2");
  write("source/sub/deep/b.csv", "text");
  EXPECT_THAT(changed(), IsEmpty());
  write("source/c.csv", "text");
  EXPECT_THAT(changed(), ElementsAre("source/c.csv"));
  write("source/sub/.gitignore", "/b.csv\n");
  EXPECT_THAT(changed(), ElementsAre("source/sub/.gitignore"));
  write("source/sub/deep/a.csv", "text 3");
  EXPECT_THAT(changed(), ElementsAre("source/sub/deep/a.csv"));
  // A folder comes and goes with all that is in it.
  write("source/.gitignore", "sub/\n");
  EXPECT_THAT(changed(), ElementsAre("source/.gitignore"));
  write("source/sub/deep/a.csv", "text 4");
  EXPECT_THAT(changed(), IsEmpty());
  fs::remove(m_root / "source/.gitignore");
  EXPECT_THAT(changed(), ElementsAre("source/.gitignore"));
  write("source/sub/deep/a.csv", "text 5");
  EXPECT_THAT(changed(), ElementsAre("source/sub/deep/a.csv"));
}

TEST_F(WatcherTest, NewFoldersAreWatchedWithWhatIsInThemAlready) {
  fs::create_directories(m_root / "data/x/y/z");
  write("data/x/y/z/deep.txt", "one");
  EXPECT_THAT(changed(), ElementsAre("data/x/y/z/deep.txt"));
  write("data/x/y/z/deep.txt", "two");
  EXPECT_THAT(changed(), ElementsAre("data/x/y/z/deep.txt"));
  fs::rename(m_root / "data/x/y", m_root / "data/inner/y");
  EXPECT_THAT(changed(), ElementsAre("data/inner/y/z/deep.txt", "data/x/y/z/deep.txt"));
  write("data/inner/y/z/deep.txt", "three");
  EXPECT_THAT(changed(), ElementsAre("data/inner/y/z/deep.txt"));
}

TEST_F(WatcherTest, AFolderThatIsDeletedAndMadeAgainIsWatched) {
  for (int i = 0; i < 20; ++i) {  // its inode may be that of the former one
    fs::remove_all(m_root / "data/inner");
    fs::create_directories(m_root / "data/inner");
    write("data/inner/b.txt", "again");
    ASSERT_THAT(changed(), ElementsAre("data/inner/b.txt"));
    write("data/inner/b.txt", "more");
    ASSERT_THAT(changed(), ElementsAre("data/inner/b.txt"));
  }
}

TEST_F(WatcherTest, ARootThatGoesAndComesBackIsWatched) {
  const auto before = m_watcher.watches();
  fs::rename(m_root / "data", m_root / "away");
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("away/a.txt", "two");
  EXPECT_THAT(changed(), IsEmpty());
  fs::rename(m_root / "away", m_root / "data");
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("data/inner/b.txt", "two");
  EXPECT_THAT(changed(), ElementsAre("data/inner/b.txt"));
  fs::remove_all(m_root / "data");
  EXPECT_THAT(changed(), ElementsAre("data"));
  fs::create_directories(m_root / "data/inner");
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("data/inner/b.txt", "three");
  EXPECT_THAT(changed(), ElementsAre("data/inner/b.txt"));
  fs::create_directories(m_root / "new");
  write("new/c.txt", "one");
  fs::rename(m_root / "data", m_root / "old");
  fs::rename(m_root / "new", m_root / "data");
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("data/c.txt", "two");
  EXPECT_THAT(changed(), ElementsAre("data/c.txt"));
  fs::create_directories(m_root / "data/inner");
  changed();
  EXPECT_EQ(m_watcher.watches(), before);
}

TEST_F(WatcherTest, WhatIsAboveARootIsSeenWithinASecond) {
  fs::create_directories(m_root / "a/b/data");
  write("a/b/data/file", "one");
  m_roots = {{m_root / "a/b/data", Kind::data, "data"}};
  m_watcher.watch(m_roots);
  fs::rename(m_root / "a", m_root / "away");
  take_all();
  m_watcher.tick();
  EXPECT_THAT(changed(), ElementsAre("data"));
  fs::rename(m_root / "away", m_root / "a");
  m_watcher.tick();
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("a/b/data/file", "two");
  EXPECT_THAT(changed(), ElementsAre("data/file"));
}

TEST_F(WatcherTest, AFileThatAppearsIsARootOfItsOwn) {
  write("secret", "one");
  EXPECT_THAT(changed(), ElementsAre("secret"));
  write_in_place("secret", "two");
  EXPECT_THAT(changed(), ElementsAre("secret"));
  fs::remove(m_root / "secret");
  EXPECT_THAT(changed(), ElementsAre("secret"));
}

TEST_F(WatcherTest, AFileThatWasJustWrittenHasNotChangedSince) {
  write("secret", "one");
  m_roots = {{m_root / "secret", Kind::file, "secret"}};
  m_watcher.watch(m_roots);
  m_watcher.tick();
  EXPECT_THAT(changed(), IsEmpty());
  write("secret", "one");
  m_watcher.watch({});
  m_watcher.watch(m_roots);
  write_in_place("secret", "two");
  EXPECT_THAT(changed(), ElementsAre("secret")) << "the stamp may be the same";
}

TEST_F(WatcherTest, LinksLeadToWhatIsWatched) {
  fs::create_directories(m_root / "elsewhere/folder");
  write("elsewhere/file", "one");
  write("elsewhere/folder/inner", "one");
  fs::create_symlink(m_root / "elsewhere/file", m_root / "data/link");
  fs::create_symlink(m_root / "elsewhere/folder", m_root / "data/folder");
  fs::create_symlink(m_root / "data", m_root / "data/circle");
  // A circle, with which no run can go on, comes and goes as a file does.
  EXPECT_THAT(changed(), ElementsAre("data/circle", "data/folder/inner", "data/link"));
  fs::remove(m_root / "data/circle");
  EXPECT_THAT(changed(), ElementsAre("data/circle"));
  write_in_place("elsewhere/file", "two");
  EXPECT_THAT(changed(), ElementsAre("data/link"));
  write("elsewhere/file", "three");  // another file of this name
  m_watcher.tick();
  EXPECT_THAT(changed(), ElementsAre("data/link"));
  write_in_place("elsewhere/file", "four");
  EXPECT_THAT(changed(), ElementsAre("data/link"));
  write("elsewhere/folder/inner", "two");
  EXPECT_THAT(changed(), ElementsAre("data/folder/inner"));
  fs::remove(m_root / "elsewhere/file");
  m_watcher.tick();
  EXPECT_THAT(changed(), ElementsAre("data/link"));
}

TEST_F(WatcherTest, ARootThatIsALinkFollowsIt) {
  fs::create_directories(m_root / "v1");
  fs::create_directories(m_root / "v2");
  write("v1/file", "one");
  fs::create_symlink("v1", m_root / "current");
  m_roots = {{m_root / "current", Kind::data, "data"}};
  m_watcher.watch(m_roots);
  write("v1/file", "two");
  EXPECT_THAT(changed(), ElementsAre("data/file"));
  fs::create_symlink("v2", m_root / "next");
  fs::rename(m_root / "next", m_root / "current");
  EXPECT_THAT(changed(), ElementsAre("data"));
  write("v2/file", "three");
  EXPECT_THAT(changed(), ElementsAre("data/file"));
  write("v1/file", "three");
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(WatcherTest, AnOverflowLosesNothing) {
  // More events than the queue holds, unread: the last of them are not in it.
  for (int i = 0; i < 9000; ++i) {
    const base::UniqueFd made(::open((m_root / "data/noise").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ::unlink((m_root / "data/noise").c_str());
  }
  write("source/package/code.py", "two");
  fs::create_directories(m_root / "data/new");
  write("data/new/file", "one");
  EXPECT_THAT(changed(), ElementsAre("source/package/code.py", "data/new/file"));
  write("data/new/file", "two");
  EXPECT_THAT(changed(), ElementsAre("data/new/file"));
}

TEST_F(WatcherTest, OtherRootsTakeTheWatchesOfTheFormer) {
  const auto before = m_watcher.watches();
  for (int i = 0; i < 3; ++i) {
    m_watcher.watch({{m_root / "data", Kind::data, "data"}});
    EXPECT_LT(m_watcher.watches(), before);
    m_watcher.watch(m_roots);
    EXPECT_EQ(m_watcher.watches(), before);
  }
}

TEST_F(WatcherTest, AFolderWithoutPermissionIsSeenAgainWithThem) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ASSERT_EQ(::chmod((m_root / "data/inner").c_str(), 0), 0);
  EXPECT_THAT(changed(), ElementsAre("data/inner/b.txt"));
  ASSERT_EQ(::chmod((m_root / "data/inner").c_str(), 0700), 0);
  EXPECT_THAT(changed(), ElementsAre("data/inner/b.txt"));
}

// Where the system gives no watches, files are looked at in each tick.
class PollingWatcher : public WatcherTest {
 protected:
  PollingWatcher() {
    rlimit limit{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{0, limit.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    m_polling.emplace(std::vector<fs::path>{m_root / "specs/out"});
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    m_polling->watch(m_roots);
  }
  std::vector<std::string> ticked() {
    m_polling->tick();
    return told(m_polling->look());
  }
  std::optional<Watcher> m_polling;
};

TEST_F(PollingWatcher, SaysSoOnceAndFindsTheSame) {
  EXPECT_EQ(m_polling->descriptor(), -1);
  EXPECT_EQ(m_polling->watches(), 0U);
  EXPECT_FALSE(m_polling->take_events());
  const auto fault = m_polling->take_fault();
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, base::ErrorKind::unavailable);
  EXPECT_EQ(fault->where, "fs.inotify.max_user_instances");
  EXPECT_EQ(fault->what, "its limit is reached, so files are checked once per second");
  EXPECT_EQ(fault->hint, "raise it: sysctl fs.inotify.max_user_instances=1024");
  EXPECT_FALSE(m_polling->take_fault());
  EXPECT_THAT(ticked(), IsEmpty());
  write("data/inner/b.txt", "longer");
  write("source/new.py", "x");
  write("specs/more/p.yml", "x");
  write("specs/README", "x");
  write("secret", "x");
  EXPECT_THAT(ticked(), ElementsAre("source/new.py", "data/inner/b.txt", "specs/more/p.yml", "secret"));
  fs::remove_all(m_root / "data/inner");
  fs::create_symlink(m_root / "source", m_root / "data/link");
  write("source/.pachignore", "*.log\n");
  // What has just been written is told again: another write could have left the same times.
  using Names = std::vector<std::string>;
  EXPECT_THAT(ticked(), testing::IsSupersetOf(Names{"source/.pachignore", "data/inner/b.txt",
                                                    "data/link/main.py", "data/link/package/code.py"}));
  fs::remove_all(m_root / "data");
  EXPECT_THAT(ticked(), testing::Contains("data"));
}

TEST_F(WatcherTest, SpecsAreTheFilesOfTheirKindsInVisibleFolders) {
  for (const auto* folder : {"specs/.git", "specs/more/deep"}) fs::create_directories(m_root / folder);
  for (const auto* name : {"specs/a.json", "specs/b.yaml", "specs/c.yml", "specs/d.txt", "specs/e.jsonx",
                           "specs/.git/f.json", "specs/more/deep/g.json"})
    write(name, "x");
  fs::create_directory_symlink(m_root / "data", m_root / "specs/link");
  EXPECT_THAT(changed(),
              ElementsAre("specs/a.json", "specs/b.yaml", "specs/c.yml", "specs/more/deep/g.json"));
}

TEST(DescribeChanges, NamesFewAndCountsMany) {
  const std::vector<WatchedRoot> roots = {{"/x/source", Kind::source, "source"},
                                          {"/x/data", Kind::data, "data"}};
  EXPECT_EQ(describe({{0, "main.py"}}, roots), "main.py");
  EXPECT_EQ(describe({{0, "main.py"}, {1, "a.txt"}}, roots), "main.py and data/a.txt");
  EXPECT_EQ(describe({{1, ""}}, roots), "data");
  EXPECT_EQ(describe({{1, "a"}, {1, "b"}, {1, "c"}}, roots), "3 files in data");
  EXPECT_EQ(describe({{0, "a"}, {1, "b"}, {1, "c"}}, roots), "3 files");
  EXPECT_EQ(describe({}, roots), "");
  EXPECT_EQ(describe({{0, "a"}, {0, "a"}, {0, "b"}}, roots), "a and b") << "each name once";
  EXPECT_EQ(describe({{0, "a"}, {0, "b"}, {0, ""}}, roots), "3 files in source");
}

}  // namespace
