// SPDX-License-Identifier: Apache-2.0
// What processes do with signals, and what is left of them: each test in a process of its own.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/files.h"
#include "base/stop.h"
#include "process/command.h"
#include "process/descendants.h"
#include "process/fork.h"
#include "process/interruption.h"
#include "process/secret_folder.h"
#include "process/suspension.h"

namespace process {
namespace {

namespace fs = base::fs;

// The end of a copy of this process that does `body`. One that goes on too long is ended by a signal.
Ending ending_of(const std::function<int()>& body) {
  return run_in_fork([&] {
           ::alarm(20);
           return body();
         })
      .value();
}

bool is_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

TEST(Interruption, IsASignalThatHasCome) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto ending = ending_of([&] {
      auto interruption = Interruption::watch().value();
      if (is_readable(interruption.descriptor()) || interruption.signal() || interruption.was_noticed() ||
          interruption.take() || !base::check_stop())
        return 1;
      ::raise(signal);
      if (!is_readable(interruption.descriptor()) || interruption.was_noticed()) return 2;
      if (base::check_stop() || !interruption.was_noticed() || base::check_stop()) return 3;
      if (interruption.take() || interruption.signal() != signal || interruption.signal() != signal) return 4;
      ::raise(SIGINT);
      return interruption.take() && interruption.signal() == SIGINT ? 0 : 5;
    });
    EXPECT_EQ(ending.describe(), "exit code 0") << signal;
  }
}

TEST(Interruption, WhatIsDivertedInterruptsNothing) {
  const auto ending = ending_of([] {
    auto interruption = Interruption::watch().value();
    if (interruption.divert()) return 1;
    ::raise(SIGTERM);
    if (interruption.divert() != SIGTERM || interruption.divert()) return 2;
    return base::check_stop() && !interruption.was_noticed() ? 0 : 3;
  });
  EXPECT_EQ(ending.describe(), "exit code 0");
}

TEST(Interruption, ASignalThatIsIgnoredStaysSo) {
  const auto ending = ending_of([] {
    ::signal(SIGHUP, SIG_IGN);
    auto interruption = Interruption::watch().value();
    ::raise(SIGHUP);
    if (interruption.signal()) return 1;
    ::raise(SIGTERM);
    return interruption.signal() == SIGTERM ? 0 : 2;
  });
  EXPECT_EQ(ending.describe(), "exit code 0");
}

TEST(Interruption, EndsTheProcessAsTheSignalWouldHave) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(ending_of([&] {
                auto interruption = Interruption::watch().value();
                ::raise(signal);
                std::move(interruption).pass_on();
                return 0;
              }).signal(),
              signal);
  }
  EXPECT_EQ(ending_of([] {
              auto interruption = Interruption::watch().value();
              std::move(interruption).pass_on();
              return interruption.signal() ? 1 : 7;
            }).code(),
            7)
      << "none has come";
  EXPECT_EQ(ending_of([] {
              {
                const auto interruption = Interruption::watch().value();
              }
              ::raise(SIGTERM);
              return 0;
            }).signal(),
            SIGTERM)
      << "nobody watches any more";
}

TEST(Suspension, WaitsForItsTime) {
  EXPECT_EQ(ending_of([] {
              std::optional<Suspension> suspension(std::in_place);
              if (Suspension::is_asked()) return 1;
              ::raise(SIGTSTP);
              if (!Suspension::is_asked()) return 2;
              suspension.reset();
              return Suspension::is_asked() ? 3 : 0;
            }).describe(),
            "exit code 0");
}

// Who waits for it sees it stop, and lets it go on.
TEST(Suspension, StopsAndGoesOn) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::setpgid(0, 0);  // an orphaned group would not stop
    const Suspension suspension;
    ::raise(SIGTSTP);
    Suspension::stop();
    if (Suspension::is_asked()) ::_exit(1);
    ::raise(SIGTSTP);  // watched again
    ::_exit(Suspension::is_asked() ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  if (WIFSTOPPED(status)) {
    EXPECT_EQ(WSTOPSIG(status), SIGTSTP);
    ::kill(child, SIGCONT);
    ASSERT_EQ(::waitpid(child, &status, 0), child);
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Suspension, IsIgnoredWhereItWas) {
  EXPECT_EQ(ending_of([] {
              ::signal(SIGTSTP, SIG_IGN);
              {
                const Suspension suspension;
                ::raise(SIGTSTP);
                if (Suspension::is_asked()) return 1;
              }
              struct sigaction action{};
              ::sigaction(SIGTSTP, nullptr, &action);
              return action.sa_handler == SIG_IGN ? 0 : 2;
            }).describe(),
            "exit code 0");
}

TEST(RunInFork, GivesHowItEnded) {
  EXPECT_EQ(run_in_fork([] { return 7; }).value().code(), 7);
  EXPECT_EQ(run_in_fork([] { return ::raise(SIGKILL); }).value().signal(), SIGKILL);
  EXPECT_EQ(ending_of([] {
              int signal = 0;
              ::prctl(PR_GET_PDEATHSIG, &signal);
              return signal;
            }).code(),
            SIGKILL)
      << "it goes with its parent";
}

TEST(ReapOrphans, SaysWhetherAnyIsLeft) {
  EXPECT_EQ(ending_of([] {
              if (reap_orphans()) return 1;
              std::array<int, 2> ends{};
              if (::pipe(ends.data()) != 0) return 2;
              char byte = 0;
              if (::fork() == 0) {
                ::close(ends[1]);
                ::_exit(static_cast<int>(::read(ends[0], &byte, 1)));
              }
              if (::fork() == 0) ::_exit(0);
              if (!reap_orphans()) return 3;
              ::close(ends[1]);
              while (reap_orphans()) ::usleep(1000);
              return ::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD ? 0 : 4;
            }).describe(),
            "exit code 0");
}

TEST(Descendants, AreEndedButForThoseThatWereThereBefore) {
  EXPECT_EQ(ending_of([] {
              const pid_t former = ::fork();
              if (former == 0)
                while (true) ::pause();
              std::array<int, 2> ends{};
              if (::pipe(ends.data()) != 0) return 1;
              const Descendants descendants;
              const pid_t middle = ::fork();
              if (middle == 0) {
                // A grandchild in a session of its own, whose parent ends.
                const pid_t below = ::fork();
                if (below == 0) {
                  ::setsid();
                  ::signal(SIGTERM, SIG_IGN);
                  while (true) ::pause();
                }
                static_cast<void>(!::write(ends[1], &below, sizeof below));
                ::_exit(0);
              }
              pid_t below = 0;
              if (::read(ends[0], &below, sizeof below) != sizeof below) return 2;
              ::waitpid(middle, nullptr, 0);
              descendants.end();
              if (::kill(below, 0) == 0) return 3;
              if (::kill(former, 0) != 0) return 4;
              ::kill(former, SIGKILL);
              ::waitpid(former, nullptr, 0);
              descendants.end();
              return 0;
            }).describe(),
            "exit code 0");
}

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

TEST(SecretFolder, IsPrivateAndGoesWithItsOwner) {
  const auto scratch = base::TemporaryFolder::make(testing::TempDir(), "secret.").value();
  fs::path path;
  {
    auto first = SecretFolder::make(scratch.path()).value();
    const auto folder = std::move(first);
    path = folder.path();
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_TRUE(path.filename().string().starts_with("pachbuild-secret-")) << path;
    ASSERT_TRUE(base::write_file(path / "token", "secret"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(SecretFolder, GoesAlsoWithAnOwnerThatIsKilled) {
  const auto scratch = base::TemporaryFolder::make(testing::TempDir(), "secret.").value();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  EXPECT_EQ(ending_of([&] {
              const auto folder = SecretFolder::make(scratch.path()).value();
              static_cast<void>(base::write_file(folder.path() / "token", "secret"));
              const std::string path = folder.path().string();
              static_cast<void>(!::write(ends[1], path.data(), path.size()));
              return ::raise(SIGKILL);
            }).signal(),
            SIGKILL);
  ::close(ends[1]);
  std::array<char, 4096> text{};
  const auto count = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  ASSERT_GT(count, 0);
  const fs::path path(std::string(text.data(), static_cast<std::size_t>(count)));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (fs::exists(path) && std::chrono::steady_clock::now() < end) ::usleep(1000);
  EXPECT_FALSE(fs::exists(path));
}

// $XDG_RUNTIME_DIR counts when it is in memory and nobody else can look into it.
TEST(SecretFolder, IsInTheFolderOfThisUser) {
  const auto scratch = base::TemporaryFolder::make(testing::TempDir(), "secret.").value();
  const auto memory = base::TemporaryFolder::make("/dev/shm", "unit-test-runtime.");
  if (!memory) GTEST_SKIP() << "there is no file system in memory";
  const auto parent_with = [&](const fs::path& runtime) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const auto ending = ending_of([&] {
      ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
      const auto folder = SecretFolder::make(scratch.path()).value();
      const std::string path = folder.path().parent_path().string();
      return ::write(ends[1], path.data(), path.size()) < 0 ? 1 : 0;
    });
    EXPECT_TRUE(ending.succeeded()) << ending.describe();
    ::close(ends[1]);
    std::array<char, 4096> text{};
    const auto count = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    return fs::path(std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))));
  };
  EXPECT_EQ(parent_with(memory->path()), memory->path());
  const fs::path shared = "/dev/shm/pachbuild-" + std::to_string(::geteuid());
  EXPECT_EQ(parent_with("relative"), shared);
  EXPECT_EQ(parent_with(""), shared);
  EXPECT_EQ(parent_with(scratch.path() / "none"), shared);
  fs::create_symlink(memory->path(), scratch.path() / "link");
  EXPECT_EQ(parent_with(scratch.path() / "link"), shared);
  for (const mode_t mode : {0701U, 0710U, 0740U, 0704U}) {
    ASSERT_EQ(::chmod(memory->path().c_str(), mode), 0);
    EXPECT_EQ(parent_with(memory->path()), shared) << mode;
  }
  EXPECT_EQ(mode_of(shared), 0700U);
}

}  // namespace
}  // namespace process
