// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/side_by_side.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "base/stop.h"
#include "process/shared_runner.h"

namespace cluster {
namespace {

namespace fs = base::fs;
using Words = std::vector<std::string>;

// Stands in for pachctl, for several threads: notes what is called with which configuration.
class Notes final : public process::SharedRunner {
 public:
  Notes() : SharedRunner(nullptr) {}
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const std::lock_guard lock(m_mutex);
    const auto configuration = process::value_of(command.environment, "PACH_CONFIG");
    calls.push_back(command.arguments.at(1));
    configurations[calls.back()] = configuration;
    contents[calls.back()] = base::read_file(configuration).value_or("none");
    return process::Finished{process::Ending::from_wait_status(0), "", ""};
  }
  Words calls;
  std::map<std::string, std::string> configurations;
  std::map<std::string, std::string> contents;

 private:
  std::mutex m_mutex;
};

class OfOneThread final : public process::Runner {
 public:
  explicit OfOneThread(process::Runner& runner) : m_runner(runner) {}
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& sink) override {
    return m_runner.run(command, sink);
  }

 private:
  process::Runner& m_runner;
};

class SideBySideTest : public testing::Test {
 protected:
  SideBySideTest() {
    ::setenv("PACHCTL", "/bin/true", 1);
    ::setenv("PACH_CONFIG", original().c_str(), 1);
    EXPECT_TRUE(base::write_file(original(), "a token", 0644));
  }
  ~SideBySideTest() override {
    ::unsetenv("PACHCTL");
    ::unsetenv("PACH_CONFIG");
  }
  [[nodiscard]] std::string original() const { return (m_folder.path() / "config.json").string(); }
  Pachctl shared() { return Pachctl::find({}, m_folder.path() / "scratch", m_notes).value(); }
  Pachctl pachctl() { return shared().with_runner(m_alone); }
  static SideBySide::Calls calls(const std::string& word) {
    return [word](const Pachctl& own) -> base::Status {
      BASE_TRY(own.call_anywhere({word}));
      return {};
    };
  }
  static SideBySide::Calls failure(const std::string& what) {
    return [what](const Pachctl& /*own*/) -> base::Status {
      return base::fail(base::ErrorKind::io, "here", what);
    };
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "side.").value();
  Notes m_notes;
  OfOneThread m_alone{m_notes};
};

TEST_F(SideBySideTest, NothingIsDone) {
  EXPECT_TRUE(SideBySide().run());
  EXPECT_TRUE(m_notes.calls.empty());
}

TEST_F(SideBySideTest, ARunnerOfOneThreadIsCalledInOrderUntilSomethingFails) {
  SideBySide all;
  all.add(pachctl(), calls("a"));
  all.add(shared(), calls("b"));
  all.add(pachctl(), failure("first"));
  all.add(pachctl(), failure("second"));
  all.add(pachctl(), calls("c"));
  const auto status = all.run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "first");
  EXPECT_EQ(m_notes.calls, (Words{"a", "b"}));
  EXPECT_EQ(m_notes.configurations["b"], original());
}

TEST_F(SideBySideTest, ThoseOfASharedRunnerWaitForEachOther) {
  // Four at a time: each waits for all of them.
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0;
  SideBySide all;
  for (int i = 0; i < 4; ++i) {
    all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
      std::unique_lock lock(mutex);
      ++running;
      changed.notify_all();
      if (changed.wait_for(lock, std::chrono::seconds(30), [&] { return running == 4; })) return {};
      return base::fail(base::ErrorKind::io, "", "alone");
    });
  }
  EXPECT_TRUE(all.run());
}

TEST_F(SideBySideTest, NoMoreThanFourRunAtATime) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  SideBySide all;
  for (int i = 0; i < 12; ++i) {
    all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      --running;
      ++done;
      return {};
    });
  }
  EXPECT_TRUE(all.run());
  EXPECT_LE(most, 4);
  EXPECT_EQ(done, 12);
}

TEST_F(SideBySideTest, TheErrorThatWasAddedFirstIsToldAndWhatRunsEnds) {
  std::mutex mutex;
  std::condition_variable changed;
  bool has_failed = false;
  bool has_ended = false;
  bool has_begun = false;
  SideBySide all;
  all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(30), [&] { return has_failed; });
    has_ended = true;
    changed.notify_all();
    return base::fail(base::ErrorKind::io, "", "first in order");
  });
  all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
    const std::lock_guard lock(mutex);
    has_failed = true;
    changed.notify_all();
    return base::fail(base::ErrorKind::io, "", "first in time");
  });
  for (int i = 0; i < 2; ++i) {
    all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(30), [&] { return has_ended; });
      return {};
    });
  }
  // The fifth: whoever is free would begin it.
  all.add(shared(), [&](const Pachctl& /*own*/) -> base::Status {
    has_begun = true;
    return {};
  });
  const auto status = all.run();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "first in order");
  EXPECT_TRUE(has_ended);
  EXPECT_FALSE(has_begun);
}

TEST_F(SideBySideTest, NothingBeginsAfterASignal) {
  const base::StopQuestion stopped([] { return true; });
  for (const auto& own : {pachctl(), shared()}) {
    SideBySide all;
    all.add(own, calls("a"));
    all.add(own, calls("b"));
    const auto status = all.run();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().what, "interrupted");
  }
  EXPECT_TRUE(m_notes.calls.empty());
}

// One that finds the file of another one half-written would write an empty one over it.
TEST_F(SideBySideTest, EachHasAConfigurationOfItsOwn) {
  const auto other = (m_folder.path() / "other.json").string();
  ASSERT_TRUE(base::write_file(other, "another token", 0600));
  SideBySide all;
  all.add(shared(), calls("a"));
  all.add(shared(), calls("b"));
  all.add(shared().with_configuration(other), calls("c"));
  all.add(shared().with_configuration(other), calls("d"));
  EXPECT_TRUE(all.run());
  EXPECT_EQ(m_notes.configurations["a"], original());
  EXPECT_EQ(m_notes.configurations["c"], other);
  EXPECT_EQ(m_notes.contents,
            (std::map<std::string, std::string>{
                {"a", "a token"}, {"b", "a token"}, {"c", "another token"}, {"d", "another token"}}));
  for (const auto* const copied : {"b", "d"}) {
    const auto& copy = m_notes.configurations[copied];
    EXPECT_NE(copy, original());
    EXPECT_NE(copy, other);
    EXPECT_FALSE(fs::exists(copy)) << "it is gone afterwards";
  }
  EXPECT_NE(m_notes.configurations["b"], m_notes.configurations["d"]);
}

TEST_F(SideBySideTest, AConfigurationThatIsNotThereIsNone) {
  fs::remove(original());
  SideBySide all;
  all.add(shared(), calls("a"));
  all.add(shared(), calls("b"));
  EXPECT_TRUE(all.run());
  EXPECT_EQ(m_notes.contents["b"], "none");
  EXPECT_NE(m_notes.configurations["b"], original());
}

TEST_F(SideBySideTest, OneAloneNeedsNoCopy) {
  SideBySide all;
  all.add(shared(), calls("a"));
  EXPECT_TRUE(all.run());
  EXPECT_EQ(m_notes.configurations["a"], original());
}

TEST_F(SideBySideTest, WithAnotherRunnerAPachctlIsNotShared) {
  EXPECT_FALSE(pachctl().is_shared());
  EXPECT_TRUE(shared().is_shared());
  EXPECT_FALSE(shared().with_runner(m_alone).is_shared());
  EXPECT_TRUE(shared().with_project("p").is_shared());
}

TEST(Assign, GivesTheValueOrTheError) {
  int value = 1;
  EXPECT_TRUE(assign(value, base::Result<int>(2)));
  EXPECT_EQ(value, 2);
  const auto status = assign(value, base::Result<int>(base::fail(base::ErrorKind::io, "here", "wrong")));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "wrong");
  EXPECT_EQ(value, 2);
}

}  // namespace
}  // namespace cluster
