// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/staging.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <functional>
#include <iterator>
#include <utility>

#include "base/digest.h"

namespace local {
namespace {

namespace fs = base::fs;

// /pfs is made elsewhere here, so links into it lead nowhere: files are looked at below .scratch.
class StagingTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_folders(data() / "dir" / "deep"));
    ASSERT_TRUE(base::write_file(data() / "a.txt", "a", 0755));
    ASSERT_TRUE(base::write_file(data() / "dir" / "deep" / "b.txt", "b"));
    ASSERT_TRUE(base::make_folders(pfs()));
  }
  fs::path data() const { return m_folder.path() / "data"; }
  fs::path pfs() const { return m_folder.path() / "pfs"; }
  Task task(const std::string& id, const std::string& path, const std::string& version) const {
    Task task;
    task.id = id;
    task.inputs = {{"in", data().string(), path, version}};
    return task;
  }
  static mode_t mode(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }
  static ino_t inode(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }
  // A file or folder, held so that no other one gets its number.
  class Held {
   public:
    explicit Held(const fs::path& path)
        : m_inode(inode(path)), m_file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {}
    [[nodiscard]] bool is(const fs::path& path) const { return inode(path) == m_inode; }

   private:
    ino_t m_inode;
    base::UniqueFd m_file;
  };

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "staging.").value();
};

TEST_F(StagingTest, LooksLikeAWorker) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  EXPECT_EQ(fs::read_symlink(pfs() / "in"), "/pfs/.scratch/1/in");
  EXPECT_EQ(fs::read_symlink(pfs() / "out"), "/pfs/.scratch/1/out");
  const fs::path in = pfs() / ".scratch" / "1" / "in";
  EXPECT_EQ(base::read_file(in / "a.txt").value(), "a");
  EXPECT_EQ(mode(in / "a.txt"), 0644U) << "mode bits are lost";
  EXPECT_EQ(mode(in), 0700U);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(mode(in / "dir"), 0755U & ~mask);
  EXPECT_EQ(mode(in / "dir" / "deep"), 0755U & ~mask);
  EXPECT_TRUE(fs::is_empty(staging.output()));
}

TEST_F(StagingTest, BringsOnlyTheDatumsPart) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "dir/deep", "v")));
  EXPECT_TRUE(fs::exists(pfs() / ".scratch/1/in/dir/deep/b.txt"));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/1/in/a.txt"));
}

TEST_F(StagingTest, MovesAnUntouchedInputToTheNextDatum) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  const ino_t before = inode(pfs() / ".scratch/1/in/a.txt");
  ASSERT_TRUE(staging.prepare(task("2", "", "v")));
  EXPECT_EQ(inode(pfs() / ".scratch/2/in/a.txt"), before);
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/1"));
}

TEST_F(StagingTest, BringsATouchedInputAnew) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  ASSERT_TRUE(base::write_file(pfs() / ".scratch/1/in/dir/deep/new", "left by the program"));
  ASSERT_TRUE(staging.prepare(task("2", "", "v")));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/2/in/dir/deep/new"));
  EXPECT_TRUE(fs::exists(pfs() / ".scratch/2/in/dir/deep/b.txt"));
}

TEST_F(StagingTest, BringsAnotherVersionAnew) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  ASSERT_TRUE(staging.prepare(task("2", "dir", "w")));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/2/in/a.txt"));
  EXPECT_TRUE(fs::exists(pfs() / ".scratch/2/in/dir/deep/b.txt"));
}

TEST_F(StagingTest, PreparesTheSameDatumAfresh) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  ASSERT_TRUE(base::write_file(staging.output() / "half", "made"));
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  EXPECT_TRUE(fs::is_empty(staging.output()));
  EXPECT_EQ(base::read_file(pfs() / ".scratch/1/in/a.txt").value(), "a");
}

TEST_F(StagingTest, EmptyFilesHaveNamesOnly) {
  Staging staging(pfs());
  auto empty = task("1", "", "v");
  empty.inputs[0].empty_files = true;
  ASSERT_TRUE(staging.prepare(empty));
  EXPECT_EQ(fs::file_size(pfs() / ".scratch/1/in/a.txt"), 0U);
}

TEST_F(StagingTest, RestoresALinkThatTheProgramReplaced) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "", "v")));
  fs::remove(pfs() / "out");
  ASSERT_TRUE(base::make_folders(pfs() / "out" / "child"));
  ASSERT_TRUE(staging.prepare(task("2", "", "v")));
  EXPECT_EQ(fs::read_symlink(pfs() / "out"), "/pfs/.scratch/2/out");
}

TEST_F(StagingTest, KeepsTheFoldersOfADatumForTheNext) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  const ino_t scratch = inode(pfs() / ".scratch/1");
  const ino_t out = inode(staging.output());
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "v")));
  EXPECT_EQ(inode(pfs() / ".scratch/2"), scratch);
  EXPECT_EQ(inode(staging.output()), out);
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/1"));
}

TEST_F(StagingTest, GivesASmallFileTheContentOfTheNext) {
  ASSERT_TRUE(base::write_file(data() / "long.txt", "longer than the others"));
  ASSERT_TRUE(base::write_file(data() / "empty.txt", ""));
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  const ino_t before = inode(pfs() / ".scratch/1/in/a.txt");
  int number = 1;
  for (const std::string name : {"long.txt", "a.txt", "empty.txt", "long.txt"}) {
    const std::string id = std::to_string(++number);
    ASSERT_TRUE(staging.prepare(task(id, name, name)));
    const fs::path in = pfs() / ".scratch" / id / "in";
    EXPECT_EQ(inode(in / name), before);
    EXPECT_EQ(mode(in / name), 0644U);
    EXPECT_EQ(base::read_file(in / name).value(), base::read_file(data() / name).value());
    EXPECT_EQ(std::distance(fs::directory_iterator(in), fs::directory_iterator()), 1);
  }
}

TEST_F(StagingTest, GivesNoFileNewContentThatWasTouched) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  ASSERT_EQ(::chmod((pfs() / ".scratch/1/in/a.txt").c_str(), 0600), 0);
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "w")));
  EXPECT_EQ(mode(pfs() / ".scratch/2/in/a.txt"), 0644U);
}

TEST_F(StagingTest, SeesThatADatumsFileIsNoLongerTheOnlyOne) {
  ASSERT_TRUE(base::write_file(data() / "other", "b"));
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  auto changed = task("2", "other", "w");
  changed.inputs[0].listing = base::sha256("the paths of a folder");
  EXPECT_FALSE(staging.prepare(changed));
  ASSERT_TRUE(staging.prepare(task("3", "a.txt", "v"))) << "the error leaves nothing half-made";
  EXPECT_EQ(base::read_file(pfs() / ".scratch/3/in/a.txt").value(), "a");
}

TEST_F(StagingTest, TellsLazyAndEmptyFilesFromOthersOfTheSameVersion) {
  Staging staging(pfs());
  const auto staged = [&](const std::string& id, bool lazy, bool empty) {
    auto changed = task(id, "a.txt", "v");
    changed.inputs[0].lazy = lazy;
    changed.inputs[0].empty_files = empty;
    EXPECT_TRUE(staging.prepare(changed));
    return pfs() / ".scratch" / id / "in/a.txt";
  };
  EXPECT_EQ(base::read_file(staged("1", false, false)).value(), "a");
  EXPECT_EQ(base::fs::status(staged("2", true, false)).type(), base::fs::fifo_file);
  EXPECT_EQ(base::read_file(staged("3", false, true)).value(), "");
  EXPECT_EQ(base::read_file(staged("4", false, false)).value(), "a");
}

TEST_F(StagingTest, UsesNothingAgainThatAProcessCouldHaveOpen) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  const base::UniqueFd in(::open((pfs() / ".scratch/1/in/a.txt").c_str(), O_RDONLY | O_CLOEXEC));
  const base::UniqueFd out(::open(staging.output().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "v"), Staging::Left::processes));
  struct stat status{};
  ASSERT_EQ(::fstat(in.get(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0U);
  ASSERT_EQ(::fstat(out.get(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0U);
}

TEST_F(StagingTest, TakesAnEmptyFolderInThePlaceOfTheOutput) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  const auto exchange = [&](mode_t mode) {
    fs::remove(staging.output());
    ASSERT_TRUE(base::make_folders(staging.output(), 0700));
    ASSERT_EQ(::chmod(staging.output().c_str(), mode), 0);
  };
  exchange(0700);
  const ino_t given = inode(staging.output());
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "v")));
  EXPECT_EQ(inode(staging.output()), given);
  EXPECT_TRUE(staging.open_output());
  exchange(0755);
  ASSERT_TRUE(staging.prepare(task("3", "a.txt", "v")));
  EXPECT_EQ(mode(staging.output()), 0700U) << "one that is not as a new one goes";
}

TEST_F(StagingTest, EachPropertyOfAnInputIsAPartOfItsVersion) {
  using Change = std::function<void(TaskInput&)>;
  const std::vector<Change> k_changes = {
      [](TaskInput& input) { input.version = "w"; },
      [](TaskInput& input) { input.lazy = true; },
      [](TaskInput& input) { input.empty_files = true; },
      [](TaskInput& input) { input.read_only = true; },
      [](TaskInput& input) { input.modified = 1; },
      [&](TaskInput& input) { input.root = (m_folder.path() / "data/dir").string(); }};
  int number = 0;
  for (const auto& change : k_changes) {
    Staging staging(pfs());
    ASSERT_TRUE(staging.prepare(task(std::to_string(++number), "", "v")));
    const Held before(staging.scratch() / "in");
    ASSERT_TRUE(staging.prepare(task(std::to_string(++number), "", "v")));
    EXPECT_TRUE(before.is(staging.scratch() / "in"));
    auto changed = task(std::to_string(++number), "", "v");
    change(changed.inputs[0]);
    ASSERT_TRUE(staging.prepare(changed));
    EXPECT_FALSE(before.is(staging.scratch() / "in")) << number;
    ASSERT_TRUE(base::remove_tree(pfs()));
    ASSERT_TRUE(base::make_folders(pfs()));
  }
}

TEST_F(StagingTest, PartsOfOneNameComeTogether) {
  Staging staging(pfs());
  auto both = task("1", "a.txt", "v");
  both.inputs.push_back({"in", data().string(), "dir", "v"});
  both.inputs.push_back({"in", data().string(), "a.txt", "v"});
  ASSERT_TRUE(staging.prepare(both)) << "a file that two parts bring is there once";
  EXPECT_EQ(base::read_file(staging.scratch() / "in/a.txt").value(), "a");
  EXPECT_EQ(base::read_file(staging.scratch() / "in/dir/deep/b.txt").value(), "b");
  auto one = task("2", "a.txt", "v");
  ASSERT_TRUE(staging.prepare(one));
  EXPECT_FALSE(fs::exists(staging.scratch() / "in/dir"));
}

TEST_F(StagingTest, ReadOnlyInputsCannotBeWritten) {
  Staging staging(pfs());
  auto closed = task("1", "", "v");
  closed.inputs[0].read_only = true;
  ASSERT_TRUE(staging.prepare(closed));
  const auto in = staging.scratch() / "in";
  EXPECT_EQ(mode(in), 0500U);
  EXPECT_EQ(mode(in / "dir"), 0500U);
  EXPECT_EQ(mode(in / "a.txt"), 0444U);
  for (const auto& folder : {in, in / "dir", in / "dir/deep"}) ::chmod(folder.c_str(), 0700);
}

TEST_F(StagingTest, FilesAndFoldersGetTheTimeThatTheInputHas) {
  Staging staging(pfs());
  auto old = task("1", "", "v");
  old.inputs[0].modified = 1'000'000'000;
  ASSERT_TRUE(staging.prepare(old));
  const auto in = staging.scratch() / "in";
  for (const auto& path : {in, in / "dir", in / "dir/deep", in / "dir/deep/b.txt", in / "a.txt"}) {
    EXPECT_EQ(fs::last_write_time(path), 1'000'000'000) << path;
  }
  EXPECT_GT(fs::last_write_time(data() / "a.txt"), 1'000'000'000) << "the person's file keeps its own";
}

TEST_F(StagingTest, OnlySmallPlainFilesInOneFolderAreRefilled) {
  const std::string largest(std::size_t{64} << 10, 'x');
  ASSERT_TRUE(base::write_file(data() / "b.txt", "b"));
  ASSERT_TRUE(base::write_file(data() / "largest", largest));
  ASSERT_TRUE(base::write_file(data() / "larger", largest + "x"));
  const auto is_refilled = [&](const std::string& from, const std::string& to,
                               const std::function<void(TaskInput&)>& change = {}) {
    Staging staging(pfs());
    EXPECT_TRUE(staging.prepare(task("1", from, "v")));
    const Held before(staging.scratch() / "in");
    auto next = task("2", to, "w");
    if (change) change(next.inputs[0]);
    EXPECT_TRUE(staging.prepare(next)) << to;
    const bool is_same = before.is(staging.scratch() / "in");
    ::chmod((staging.scratch() / "in").c_str(), 0700);
    EXPECT_TRUE(base::remove_tree(pfs()));
    EXPECT_TRUE(base::make_folders(pfs()));
    return is_same;
  };
  EXPECT_TRUE(is_refilled("a.txt", "b.txt"));
  EXPECT_TRUE(is_refilled("a.txt", "largest"));
  EXPECT_TRUE(is_refilled("largest", "a.txt"));
  EXPECT_FALSE(is_refilled("a.txt", "larger"));
  EXPECT_FALSE(is_refilled("larger", "a.txt"));
  EXPECT_FALSE(is_refilled("a.txt", "dir/deep/b.txt")) << "of another folder";
  EXPECT_FALSE(is_refilled("a.txt", "dir"));
  EXPECT_FALSE(is_refilled("dir", "a.txt"));
  EXPECT_FALSE(is_refilled("a.txt", ""));
  EXPECT_FALSE(is_refilled("a.txt", "b.txt", [](TaskInput& input) { input.lazy = true; }));
  EXPECT_FALSE(is_refilled("a.txt", "b.txt", [](TaskInput& input) { input.empty_files = true; }));
  EXPECT_FALSE(is_refilled("a.txt", "b.txt", [](TaskInput& input) { input.read_only = true; }));
  EXPECT_FALSE(is_refilled("a.txt", "b.txt", [](TaskInput& input) { input.modified = 1; }));
  base::Sha256 listing;
  listing.update_field("b.txt");
  const auto expected = listing.finish();
  EXPECT_TRUE(is_refilled("a.txt", "b.txt", [&](TaskInput& input) { input.listing = expected; }));
}

TEST_F(StagingTest, WhatWasAddedDuringTheRunIsAnError) {
  base::Sha256 listing;
  for (const std::string path : {"dir/deep/b.txt"}) listing.update_field(path);
  auto listed = task("1", "dir", "v");
  listed.inputs[0].listing = listing.finish();
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(listed));
  ASSERT_TRUE(base::write_file(data() / "dir/deep/new", ""));
  listed.id = "2";
  listed.inputs[0].version = "w";
  const auto status = staging.prepare(listed);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::step_failed);
  EXPECT_EQ(status.error().where, (data() / "dir").string());
  EXPECT_EQ(status.error().what, "files were added or removed during the run");
}

TEST_F(StagingTest, WhatIsMadeInTheSourceIsFoundWhereThereIsNoOutput) {
  Staging staging(pfs());
  auto built = task("1", "", "v");
  built.inputs[0].name = "source";
  ASSERT_TRUE(staging.prepare(built));
  for (const auto* name : {".cache", "__pycache__", "dir/new"}) {
    ASSERT_TRUE(base::make_folders(staging.scratch() / "source" / name));
    EXPECT_EQ(staging.find_stranger(built).value(), "") << name;
  }
  ASSERT_TRUE(base::write_file(staging.scratch() / "source" / "result", ""));
  EXPECT_EQ(staging.find_stranger(built).value(), "source/result");
  ASSERT_TRUE(base::write_file(staging.output() / "file", ""));
  EXPECT_EQ(staging.find_stranger(built).value(), "");
  fs::remove(staging.output() / "file");
  ASSERT_TRUE(base::remove_tree(staging.scratch() / "source"));
  EXPECT_EQ(staging.find_stranger(built).value(), "") << "the program has removed it";
}

TEST_F(StagingTest, StrangersAreFoundAndRemoved) {
  Staging staging(pfs());
  const auto first = task("1", "", "v");
  ASSERT_TRUE(staging.prepare(first));
  ASSERT_TRUE(staging.write_environment("A=1\n"));
  EXPECT_EQ(staging.find_stranger(first).value(), "");
  ASSERT_TRUE(base::make_folders(pfs() / "result"));
  EXPECT_EQ(staging.find_stranger(first).value(), "result");
  ASSERT_TRUE(staging.prepare(task("2", "", "v")));
  EXPECT_FALSE(fs::exists(pfs() / "result"));
  auto other = task("3", "", "v");
  other.inputs[0].name = "other";
  ASSERT_TRUE(staging.prepare(other));
  EXPECT_FALSE(fs::is_symlink(pfs() / "in")) << "the input of the datum before";
  EXPECT_TRUE(fs::is_symlink(pfs() / "other"));
}

TEST_F(StagingTest, ResidentInputsAreAnotherOnes) {
  Staging staging(pfs(), "batch");
  auto both = task("1", "", "v");
  both.batching = true;
  both.inputs.push_back({.name = "build", .root = data().string(), .version = "v", .resident = true});
  ASSERT_TRUE(base::make_folders(pfs() / ".scratch/batch"));
  ASSERT_TRUE(base::make_folders(pfs() / ".scratch/left"));
  fs::create_symlink("x", pfs() / "build");
  ASSERT_TRUE(staging.prepare(both));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/1/build"));
  EXPECT_TRUE(fs::is_symlink(pfs() / "build")) << "it is an input";
  EXPECT_TRUE(fs::exists(pfs() / ".scratch/batch"));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/left"));
  Staging plain(pfs(), "batch");
  ASSERT_TRUE(plain.prepare(task("2", "", "v")));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/batch")) << "there is no batch";
}

TEST_F(StagingTest, TheEnvironmentIsWrittenAnewWhereItWasTouched) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  ASSERT_TRUE(staging.write_environment("A=a long value\n"));
  EXPECT_EQ(fs::read_symlink(pfs() / ".env"), "/pfs/.scratch/1/.env");
  const auto file = [&] { return staging.scratch() / ".env"; };
  const ino_t before = inode(file());
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "v")));
  ASSERT_TRUE(staging.write_environment("A=1\n"));
  EXPECT_EQ(inode(file()), before);
  EXPECT_EQ(base::read_file(file()).value(), "A=1\n");
  EXPECT_EQ(fs::read_symlink(pfs() / ".env"), "/pfs/.scratch/2/.env");
  // A link that a program has put there is not written through.
  fs::remove(file());
  fs::create_symlink(m_folder.path() / "elsewhere", file());
  ASSERT_TRUE(staging.prepare(task("3", "a.txt", "v")));
  ASSERT_TRUE(staging.write_environment("A=2\n"));
  EXPECT_EQ(base::read_file(file()).value(), "A=2\n");
  EXPECT_FALSE(fs::is_symlink(file()));
  EXPECT_FALSE(fs::exists(m_folder.path() / "elsewhere"));
}

TEST_F(StagingTest, FoldersThatAProgramChangedAreMadeAnewOrRestored) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  const Held scratch(staging.scratch());
  ASSERT_EQ(::chmod(staging.scratch().c_str(), 0755), 0);
  ASSERT_TRUE(staging.prepare(task("2", "a.txt", "v")));
  EXPECT_FALSE(scratch.is(staging.scratch()));
  EXPECT_EQ(mode(staging.scratch()), 0700U);
  const Held second(staging.scratch());
  ASSERT_TRUE(base::write_file(staging.scratch() / "left", ""));
  ASSERT_TRUE(staging.prepare(task("3", "a.txt", "v")));
  EXPECT_FALSE(second.is(staging.scratch()));
  const Held third(staging.scratch());
  ASSERT_TRUE(base::make_folders(pfs() / ".scratch/left"));
  ASSERT_TRUE(staging.prepare(task("4", "a.txt", "v")));
  EXPECT_FALSE(third.is(staging.scratch()));
  EXPECT_FALSE(fs::exists(pfs() / ".scratch/left"));
  ASSERT_EQ(::chmod(pfs().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((pfs() / ".scratch").c_str(), 0777), 0);
  ASSERT_TRUE(staging.prepare(task("5", "a.txt", "v")));
  EXPECT_EQ(mode(pfs()), 0700U);
  EXPECT_EQ(mode(pfs() / ".scratch"), 0700U);
  ASSERT_TRUE(base::remove_tree(pfs() / ".scratch"));
  fs::create_symlink(data(), pfs() / ".scratch");
  ASSERT_TRUE(staging.prepare(task("6", "a.txt", "v")));
  EXPECT_FALSE(fs::is_symlink(pfs() / ".scratch"));
  EXPECT_FALSE(fs::exists(data() / "6"));
}

TEST_F(StagingTest, AnOutputInThePlaceOfTheFirstIsNoOutput) {
  Staging staging(pfs());
  ASSERT_TRUE(staging.prepare(task("1", "a.txt", "v")));
  ASSERT_TRUE(staging.open_output());
  fs::rename(staging.output(), m_folder.path() / "moved");
  EXPECT_EQ(staging.open_output().error().what, "was removed or replaced by the program");
  ASSERT_TRUE(base::make_folders(staging.output()));
  EXPECT_FALSE(staging.open_output()) << "another folder";
  ASSERT_TRUE(base::remove_tree(staging.output()));
  fs::create_symlink(m_folder.path() / "moved", staging.output());
  EXPECT_FALSE(staging.open_output()) << "a link to it";
}

TEST(Fingerprint, ChangesWithEachPropertyOfAnEntry) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "print.").value();
  ASSERT_TRUE(base::make_folders(folder.path() / "d"));
  ASSERT_TRUE(base::write_file(folder.path() / "d/f", "1"));
  ASSERT_EQ(::mkfifo((folder.path() / "d/pipe").c_str(), 0600), 0);
  const auto print = [&] { return fingerprint(folder.path()).value(); };
  auto last = print();
  const auto is_new = [&] { return std::exchange(last, print()) != last; };
  EXPECT_FALSE(is_new());
  const auto change = [&](const std::string& name, auto&& how) {
    how((folder.path() / name).c_str());
    return is_new();
  };
  for (const std::string name : {"d", "d/f", "d/pipe"})
    EXPECT_TRUE(change(name, [](const char* path) { ::chmod(path, 0711); })) << name;
  const auto touch = [](const char* path) {
    const timespec times[] = {{5, 0}, {5, 0}};
    ::utimensat(AT_FDCWD, path, times, 0);
  };
  for (const std::string name : {"d", "d/f"}) EXPECT_TRUE(change(name, touch)) << name;
  EXPECT_FALSE(change("d/pipe", touch)) << "its times change when it is read";
  EXPECT_TRUE(
      change("d/f", [&](const char* path) { ASSERT_EQ(::link(path, (folder.path() / "d/g").c_str()), 0); }));
  EXPECT_TRUE(change(
      "d/pipe", [&](const char* path) { ASSERT_EQ(::rename(path, (folder.path() / "pipe2").c_str()), 0); }));
  EXPECT_FALSE(fingerprint(folder.path() / "none"));
}

TEST(Fingerprint, ChangesWithContentNamesAndFolders) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "print.").value();
  ASSERT_TRUE(base::make_folders(folder.path() / "d"));
  ASSERT_TRUE(base::write_file(folder.path() / "d" / "f", "1"));
  const auto before = fingerprint(folder.path()).value();
  EXPECT_EQ(fingerprint(folder.path()).value(), before);
  ASSERT_TRUE(base::write_file(folder.path() / "d" / "f", "2"));
  const auto written = fingerprint(folder.path()).value();
  EXPECT_NE(written, before);
  ASSERT_TRUE(base::make_folders(folder.path() / "d" / "e"));
  EXPECT_NE(fingerprint(folder.path()).value(), written);
}

// Its times change when it is read, so that the rest has to tell.
TEST(Fingerprint, OfAPipeChangesWithAllButReading) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "print.").value();
  const auto path = [&](const std::string& name) { return (folder.path() / "in" / name).string(); };
  ASSERT_TRUE(base::make_folders(folder.path() / "in"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0644), 0);
  const auto print = [&] { return fingerprint(folder.path() / "in").value(); };
  auto before = print();
  {
    const base::UniqueFd both(::open(path("pipe").c_str(), O_RDWR | O_CLOEXEC));
    char byte = 'x';
    ASSERT_EQ(::write(both.get(), &byte, 1), 1);
    ASSERT_EQ(::read(both.get(), &byte, 1), 1);
  }
  EXPECT_EQ(print(), before);
  const timespec times[] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("pipe").c_str(), times, 0), 0);
  EXPECT_EQ(print(), before);
  const std::vector<std::pair<const char*, std::function<void()>>> k_changes = {
      {"mode", [&] { ASSERT_EQ(::chmod(path("pipe").c_str(), 0600), 0); }},
      {"links", [&] { ASSERT_EQ(::link(path("pipe").c_str(), (folder.path() / "name").c_str()), 0); }}};
  for (const auto& [what, change] : k_changes) {
    change();
    EXPECT_NE(print(), before) << what;
    before = print();
  }
}

}  // namespace
}  // namespace local
