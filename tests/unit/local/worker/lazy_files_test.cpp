// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/lazy_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/files.h"

namespace local {
namespace {

class LazyFilesTest : public testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }
  void TearDown() override { ::signal(SIGPIPE, SIG_DFL); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "lazy.").value();
  std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  // A reader that has taken one byte.
  base::UniqueFd begin_to_read(const std::string& name) const {
    base::UniqueFd reader(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
    return reader;
  }
};

TEST_F(LazyFilesTest, GivesTheContentToWhoOpensIt) {
  const std::string content(300'000, 'x');
  ASSERT_TRUE(base::write_file(path("source"), content));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  struct stat status{};
  ASSERT_EQ(::stat(path("pipe").c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
  EXPECT_EQ(base::read_file(path("pipe")).value(), content);
  EXPECT_TRUE(lazy.finish(m_folder.path()));
}

TEST_F(LazyFilesTest, GivesTheContentAgainWhereThatIsAskedFor) {
  const std::string content(300'000, 'x');
  ASSERT_TRUE(base::write_file(path("source"), content));
  ASSERT_TRUE(base::write_file(path("nothing"), ""));
  LazyFiles lazy;
  lazy.serve_again();
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  ASSERT_TRUE(lazy.add(path("nothing"), m_folder.path(), "empty"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(base::read_file(path("pipe")).value(), content) << i;
    EXPECT_EQ(base::read_file(path("empty")).value(), "") << i;
  }
  // Who opens it while the one that gave up is still being noticed may get the rest of what that one had.
  begin_to_read("pipe").reset();
  bool is_whole = false;
  for (int i = 0; i < 100 && !is_whole; ++i) is_whole = base::read_file(path("pipe")).value() == content;
  EXPECT_TRUE(is_whole);
}

TEST_F(LazyFilesTest, IsFineWhenNobodyOpensIt) {
  ASSERT_TRUE(base::write_file(path("source"), "text"));
  LazyFiles lazy;
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe" + std::to_string(i)));
  EXPECT_TRUE(lazy.finish(m_folder.path()));
}

TEST_F(LazyFilesTest, IsFineWhenTheProgramRemovesIt) {
  ASSERT_TRUE(base::write_file(path("source"), "text"));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  ASSERT_EQ(::unlink(path("pipe").c_str()), 0);
  EXPECT_TRUE(lazy.finish(m_folder.path()));
}

TEST_F(LazyFilesTest, SaysWhichOneWasNotReadToItsEnd) {
  ASSERT_TRUE(base::write_file(path("source"), std::string(1'000'000, 'x')));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  begin_to_read("pipe").reset();
  const auto status = lazy.finish(m_folder.path());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::step_failed);
  EXPECT_EQ(status.error().where, path("pipe"));
}

TEST_F(LazyFilesTest, CanBeReadAgainOnceRenewed) {
  ASSERT_TRUE(base::write_file(path("source"), "text"));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "read"));
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "unread"));
  for (int datum = 0; datum < 3; ++datum) {
    EXPECT_EQ(base::read_file(path("read")).value(), "text");
    EXPECT_TRUE(lazy.finish(m_folder.path()));
    ASSERT_TRUE(lazy.renew());
  }
  EXPECT_EQ(base::read_file(path("unread")).value(), "text");
}

TEST_F(LazyFilesTest, ForgetsAnErrorOnceTold) {
  ASSERT_TRUE(base::write_file(path("source"), std::string(1'000'000, 'x')));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  begin_to_read("pipe").reset();
  ASSERT_FALSE(lazy.finish(m_folder.path()));
  ASSERT_TRUE(lazy.renew());
  EXPECT_EQ(base::read_file(path("pipe")).value(), std::string(1'000'000, 'x'))
      << "nothing of the first reading is left";
  EXPECT_TRUE(lazy.finish(m_folder.path()));
}

TEST_F(LazyFilesTest, DropsOnlyTheFolderThatIsNamed) {
  ASSERT_TRUE(base::write_file(path("source"), "text"));
  ASSERT_TRUE(base::make_folders(path("in")));
  ASSERT_TRUE(base::make_folders(path("input")));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "in/pipe"));
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "input/pipe"));
  lazy.drop("in");
  const base::UniqueFd unserved(::open(path("in/pipe").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_FALSE(unserved) << "nobody has it open";
  EXPECT_EQ(base::read_file(path("input/pipe")).value(), "text");
}

TEST_F(LazyFilesTest, DoesNotWaitForAReaderThatHangs) {
  ASSERT_TRUE(base::write_file(path("source"), std::string(1'000'000, 'x')));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "pipe"));
  const auto reader = begin_to_read("pipe");
  EXPECT_FALSE(lazy.finish(m_folder.path()));
}

TEST_F(LazyFilesTest, SaysWhatWentWrongFirst) {
  LazyFiles lazy;
  ASSERT_TRUE(base::write_file(path("source"), std::string(1'000'000, 'x')));
  ASSERT_TRUE(lazy.add(path("none"), m_folder.path(), "one"));
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "two"));
  EXPECT_EQ(base::read_file(path("one")).value_or("cannot be read"), "");
  begin_to_read("two").reset();
  const auto status = lazy.finish(m_folder.path());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().where, path("none"));
  EXPECT_EQ(status.error().what, "cannot read: no such file or folder");
  EXPECT_EQ(lazy.add(path("source"), m_folder.path(), "one").error().where, path("one"))
      << "it is there already";
  EXPECT_EQ(lazy.add(path("source"), m_folder.path() / "none", "x").error().kind,
            base::ErrorKind::cannot_write);
}

TEST_F(LazyFilesTest, DropsAllWithoutAName) {
  ASSERT_TRUE(base::write_file(path("source"), "text"));
  LazyFiles lazy;
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "a"));
  ASSERT_TRUE(lazy.add(path("source"), m_folder.path(), "b"));
  lazy.drop("");
  for (const auto* name : {"a", "b"}) {
    const base::UniqueFd unserved(::open(path(name).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_FALSE(unserved) << name;
  }
}

}  // namespace
}  // namespace local
