// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/board.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <thread>

#include "../../steps.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/stop.h"
#include "tests/unit/local/fake_repos.h"

namespace local {
namespace {

class BoardTest : public testing::Test {
 protected:
  // The output of a datum, as files of a result.
  std::vector<Commit::File> stored(const std::map<std::string, std::string>& files) {
    const auto out = m_folder.path() / "out";
    EXPECT_TRUE(base::remove_tree(out));
    EXPECT_TRUE(base::make_folders(out));
    for (const auto& [name, content] : files) {
      EXPECT_TRUE(base::make_folders((out / name).parent_path()));
      EXPECT_TRUE(base::write_file(out / name, content));
    }
    std::vector<Commit::File> result;
    const auto added = m_store.add(base::sha256("key"), OutputTree::open(out).value()).value();
    for (const auto& file : added) result.push_back({file.path, file.digest, file.size, {}});
    return result;
  }
  // What there is when it has been waited for.
  std::string wait_for(const std::vector<std::string>& keys) {
    const auto missing = m_board.wait_for(keys);
    if (!missing) return "error: " + missing.error().what;
    return missing->value_or("all");
  }
  [[nodiscard]] base::fs::path folder(const std::string& key) const { return m_board.at(key).folder; }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "board.").value();
  ResultStore m_store = ResultStore::open(m_folder.path() / "cache").value();
  RemoteCommits m_remote{m_store, m_folder.path() / "cache", nullptr};
  Board m_board{m_folder.path() / "commits", m_store, m_remote};
};

TEST_F(BoardTest, ResultsAreThereAsReadOnlyNamesOfWhatIsStored) {
  const auto files = stored({{"a", "1"}, {"d/b", "2"}, {"d/empty", ""}});
  m_board.add_result("r", files);
  EXPECT_EQ(wait_for({"r"}), "all");
  const auto& commit = m_board.at("r");
  EXPECT_TRUE(commit.is_ours);
  EXPECT_EQ(commit.files.size(), 3U);
  EXPECT_EQ(commit.digest, commit.digest_of(commit.all()));
  EXPECT_EQ(commit.folder, (m_folder.path() / "commits" / base::sha256("r")).string());
  EXPECT_FALSE(base::fs::exists(folder("r"))) << "nobody needs it yet";
  ASSERT_TRUE(m_board.check_out("r", {{0, 1}}));
  EXPECT_EQ(base::read_file(folder("r") / "d/b").value(), "2");
  struct stat status{};
  struct stat object{};
  ASSERT_EQ(::stat((folder("r") / "d/b").c_str(), &status), 0);
  ASSERT_EQ(::stat(m_store.object(files[1].digest).c_str(), &object), 0);
  EXPECT_EQ(status.st_ino, object.st_ino);
  ASSERT_EQ(::stat((folder("r") / "d/empty").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
  EXPECT_EQ(status.st_mode & 0777U, 0444U);
  EXPECT_EQ(status.st_nlink, 1U);
  for (const auto& made : {folder("r"), folder("r") / "d"}) {
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
  }
  ASSERT_TRUE(m_board.check_out("r", {{0, 3}})) << "once is enough";
}

// Of what is on a cluster only what datums need comes.
TEST_F(BoardTest, ARemoteCommitComesFileByFile) {
  FakeRepos repos(m_folder.path());
  for (const std::string name : {"a", "b", "c"}) repos.set(name, "content of " + name);
  RemoteCommits remote(m_store, m_folder.path() / "cache", &repos);
  Board board(m_folder.path() / "commits", m_store, remote);
  board.add_remote("r", remote.find("r@master", [](const std::string&) {}).value());
  const auto in = board.at("r").folder;
  EXPECT_EQ(in, (m_folder.path() / "commits" / base::sha256("r")).string());
  repos.asked.clear();
  ASSERT_TRUE(board.check_out("r", {{0, 1}}));
  EXPECT_EQ(repos.asked, std::vector<std::string>{"get a"});
  EXPECT_EQ(base::read_file(base::fs::path(in) / "a").value(), "content of a");
  EXPECT_FALSE(base::fs::exists(base::fs::path(in) / "b"));
  ASSERT_TRUE(board.check_out("r", {{0, 1}, {2, 3}, {2, 3}}));
  EXPECT_EQ(repos.asked, (std::vector<std::string>{"get a", "get c"}));
  EXPECT_FALSE(base::fs::exists(base::fs::path(in) / "b"));
  repos.lost = "b";
  EXPECT_EQ(board.check_out("r", {{0, 3}}).error().where, "r@master:/b");
}

TEST_F(BoardTest, WhereANameIsNotPossibleACopyIsMade) {
  int number = 0;
  for (const int error : {EMLINK, EPERM, EXDEV, EIO}) {
    const std::string key = "r" + std::to_string(number++);
    m_board.add_result(key, stored({{"a", "1"}}));
    const steps::Watch watch(
        [&](std::string_view call, std::string_view) { return call == "link" ? error : 0; });
    const auto status = m_board.check_out(key, {});
    EXPECT_EQ(status.has_value(), error != EIO);
    if (!status) {
      EXPECT_EQ(status.error().what, "cannot read: Input/output error");
      continue;
    }
    struct stat copy{};
    ASSERT_EQ(::stat((folder(key) / "a").c_str(), &copy), 0);
    EXPECT_EQ(copy.st_nlink, 1U);
    EXPECT_EQ(copy.st_mode & 0777U, 0444U);
    EXPECT_EQ(base::read_file(folder(key) / "a").value(), "1");
  }
}

TEST_F(BoardTest, FoldersOfOthersStayWhereTheyAre) {
  Commit commit = commit_of_files({{"a", base::sha256("1"), 1, {}}});
  commit.folder = "/data";
  m_board.add("data", commit);
  EXPECT_TRUE(m_board.check_out("data", {{0, 1}}));
  EXPECT_EQ(folder("data"), "/data");
  EXPECT_FALSE(base::fs::exists(m_folder.path() / "commits"));
}

TEST_F(BoardTest, TheFirstThatWillNotBeThereEndsTheWaiting) {
  Commit commit;
  m_board.add("a", commit);
  m_board.give_up("b", "writer of b");
  m_board.give_up("c", "writer of c");
  EXPECT_EQ(wait_for({}), "all");
  EXPECT_EQ(wait_for({"a"}), "all");
  EXPECT_EQ(wait_for({"a", "b", "c"}), "writer of b");
  EXPECT_EQ(wait_for({"c", "b"}), "writer of c");
  m_board.give_up("a", "too late");
  m_board.fail("a", {base::ErrorKind::io, "", "too late"});
  EXPECT_EQ(wait_for({"a"}), "all");
}

TEST_F(BoardTest, AnErrorIsToldToOneThatAsks) {
  m_board.fail("a", {base::ErrorKind::bad_input, "where", "what", "hint"});
  m_board.fail("b", {base::ErrorKind::io, "where", "other", "hint"});
  EXPECT_EQ(wait_for({"a"}), "error: what");
  const auto again = m_board.wait_for({"b"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, base::ErrorKind::io);
  EXPECT_EQ(again.error().where + again.error().what + again.error().hint, "");
}

TEST_F(BoardTest, WhoWaitsIsWokenOrStopped) {
  std::thread writer([&] { m_board.add("late", Commit()); });
  EXPECT_EQ(wait_for({"late"}), "all");
  writer.join();
  const base::StopQuestion stop([] { return true; });
  EXPECT_EQ(wait_for({"never"}), "error: interrupted");
}

}  // namespace
}  // namespace local
