// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/transaction.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

namespace cluster {
namespace {

namespace fs = base::fs;

// Stands in for pachctl: keeps what it was called with, and fails when the test says so.
class Calls final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const auto& words = command.arguments;
    calls.push_back(words.at(1) + " " + words.at(2));
    configuration = process::value_of(command.environment, "PACH_CONFIG");
    struct stat status{};
    if (::stat(configuration.c_str(), &status) == 0) mode = status.st_mode & 07777U;
    if (::stat(fs::path(configuration).parent_path().c_str(), &status) == 0)
      folder_mode = status.st_mode & 07777U;
    content = base::read_file(configuration).value_or("none");
    const int code = calls.back() == failing ? 1 : 0;
    const std::string answer =
        calls.back() == "start transaction" ? "started new transaction: \"4bf5\"\n" : "";
    return process::Finished{process::Ending::from_wait_status(code << 8), answer, "refused"};
  }
  std::vector<std::string> calls;
  std::string failing;
  std::string configuration;
  std::string content;
  mode_t mode = 0;
  mode_t folder_mode = 0;
};

class TransactionTest : public testing::Test {
 protected:
  TransactionTest() {
    ::setenv("PACHCTL", "/bin/true", 1);
    ::setenv("PACH_CONFIG", (m_folder.path() / "config.json").c_str(), 1);
    EXPECT_TRUE(base::write_file(m_folder.path() / "config.json", "a token", 0644));
  }
  ~TransactionTest() override {
    ::unsetenv("PACHCTL");
    ::unsetenv("PACH_CONFIG");
  }
  [[nodiscard]] Pachctl pachctl() { return Pachctl::find({}, m_folder.path() / "scratch", m_calls).value(); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "transaction.").value();
  Calls m_calls;
};

using Words = std::vector<std::string>;

TEST_F(TransactionTest, ThatIsFinishedIsNotDeleted) {
  {
    auto transaction = Transaction::start(pachctl()).value();
    EXPECT_TRUE(transaction.finish());
  }
  EXPECT_EQ(m_calls.calls, (Words{"start transaction", "finish transaction"}));
}

TEST_F(TransactionTest, ThatNeverBeganIsNotDeleted) {
  {
    auto transaction = Transaction::prepare(pachctl()).value();
    EXPECT_EQ(transaction.id(), "");
    const auto moved = std::move(transaction);
  }
  EXPECT_EQ(m_calls.calls, Words());
  auto transaction = Transaction::prepare(pachctl()).value();
  EXPECT_TRUE(transaction.begin());
  EXPECT_EQ(transaction.id(), "4bf5");
  EXPECT_TRUE(transaction.finish());
  EXPECT_EQ(m_calls.calls, (Words{"start transaction", "finish transaction"}));
}

TEST_F(TransactionTest, ThatIsLeftInBetweenIsDeleted) {
  {
    auto transaction = Transaction::start(pachctl()).value();
    const auto moved = std::move(transaction);
  }
  EXPECT_EQ(m_calls.calls, (Words{"start transaction", "delete transaction"}));
}

TEST_F(TransactionTest, ThatCannotBeFinishedIsDeleted) {
  m_calls.failing = "finish transaction";
  {
    auto transaction = Transaction::start(pachctl()).value();
    EXPECT_FALSE(transaction.finish());
  }
  EXPECT_EQ(m_calls.calls, (Words{"start transaction", "finish transaction", "delete transaction"}));
}

TEST_F(TransactionTest, ThatCouldNotStartIsNotDeleted) {
  m_calls.failing = "start transaction";
  EXPECT_FALSE(Transaction::start(pachctl()));
  EXPECT_EQ(m_calls.calls, Words{"start transaction"});
}

TEST_F(TransactionTest, HasACopyOfTheTokenThatOnlyThisUserCanRead) {
  const mode_t before = ::umask(0);
  std::string copy;
  {
    auto started = Transaction::start(pachctl());
    ::umask(before);
    auto transaction = std::move(started).value();
    copy = m_calls.configuration;
    EXPECT_NE(copy, (m_folder.path() / "config.json").string());
    EXPECT_EQ(m_calls.content, "a token");
    EXPECT_EQ(m_calls.mode, 0600U);
    EXPECT_EQ(m_calls.folder_mode & 0077U, 0U);
    EXPECT_TRUE(transaction.finish());
    EXPECT_EQ(m_calls.configuration, copy);
  }
  EXPECT_FALSE(fs::exists(copy));
}

}  // namespace
}  // namespace cluster
