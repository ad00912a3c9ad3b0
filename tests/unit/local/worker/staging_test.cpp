// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/staging.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <iterator>

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

}  // namespace
}  // namespace local
