// SPDX-License-Identifier: Apache-2.0
#include "process/child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "process/runner.h"

namespace process {
namespace {

using std::chrono_literals::operator""ms;

Command shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

// Ended, but its (new) parent has not waited for it yet.
bool is_zombie(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  file >> number >> name >> state;
  return state == "Z";
}

Finished run(const Command& command) { return SystemRunner().run(command, {}).value(); }

TEST(Child, EveryExitCodeComesBack) {
  for (int code = 0; code < 256; ++code) {
    const auto ending = Child::start(shell("exit " + std::to_string(code))).value().wait().value();
    ASSERT_EQ(ending.code(), code);
    ASSERT_EQ(ending.exit_code(), code);
  }
}

TEST(Child, ASignalIsNotAnExitCode) {
  const auto ending = Child::start(shell("kill -KILL $$")).value().wait().value();
  EXPECT_EQ(ending.signal(), SIGKILL);
  EXPECT_EQ(ending.code(), std::nullopt);
  EXPECT_EQ(ending.exit_code(), 137);
  EXPECT_EQ(ending.describe(), "signal 9 (Killed)");
}

TEST(Child, AMissingProgramIsUnavailable) {
  const auto child = Child::start({.arguments = {"/no/such/program"}, .environment = {}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind, base::ErrorKind::unavailable);
  EXPECT_EQ(child.error().where, "/no/such/program");
}

TEST(Child, StartsWithDefaultDispositionsAndAnEmptyMask) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  const auto result = run(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  ::sigprocmask(SIG_UNBLOCK, &mask, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(result.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Child, InheritsNothingOfTheEnvironment) {
  ::setenv("PACHBUILD_TEST_LEAK", "1", 1);
  EXPECT_EQ(run({.arguments = {"/usr/bin/env"}, .environment = {{"A", "b c"}}}).output, "A=b c\n");
  ::unsetenv("PACHBUILD_TEST_LEAK");
}

TEST(Child, GetsEveryVariableOfItsEnvironment) {
  EXPECT_EQ(run({.arguments = {"/usr/bin/env"},
                 .environment = {{"A", "1"}, {"A_LONGER_NAME_THAN_OTHERS", ""}, {"AB", "=\n="}, {"B", ""}}})
                .output,
            "A=1\nAB==\n=\nA_LONGER_NAME_THAN_OTHERS=\nB=\n");
}

TEST(Child, TakesArgumentsByteForByte) {
  const auto result =
      run({.arguments = {"/usr/bin/printf", "[%s]", "a b", "", "$x", "-n", "é\n"}, .environment = {}});
  EXPECT_EQ(result.output, "[a b][][$x][-n][é\n]");
}

TEST(Child, GivesUpWaitingAfterTheLimit) {
  auto child = Child::start(shell("exec sleep 60")).value();
  EXPECT_EQ(child.wait_for(20ms).value(), std::nullopt);
  child.signal_group(SIGTERM);
  EXPECT_EQ(child.wait().value().signal(), SIGTERM);
}

TEST(Child, IsKilledWithItsGroupWhenItsOwnerGoes) {
  pid_t pid = 0;
  {
    const auto child = Child::start(shell("sleep 60 & wait")).value();
    pid = child.pid();
  }
  EXPECT_EQ(::kill(-pid, 0), -1);
}

TEST(Child, GetsItsOrphanSignalWhenItsParentIsKilled) {
  // The parent is a process of its own here: it tells the child's number through the pipe and dies.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto command = shell("exec sleep 60");
    command.orphan_signal = SIGKILL;
    const auto child = Child::start(command).value();
    const pid_t pid = child.pid();
    static_cast<void>(::write(ends[1], &pid, sizeof pid));
    ::kill(::getpid(), SIGKILL);
  }
  ::close(ends[1]);
  pid_t pid = 0;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::waitpid(parent, nullptr, 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const auto is_sleeping = [&] {
    std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    return static_cast<bool>(file >> name) && name == "sleep" && ::kill(pid, 0) == 0 && !is_zombie(pid);
  };
  while (is_sleeping() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(is_sleeping());
  ::close(ends[0]);
}

TEST(SystemRunner, KeepsBothStreamsApartAndWhole) {
  std::string seen;
  const auto result = SystemRunner().run(shell("seq 1 20000; echo fault >&2; exit 3"),
                                         [&](std::string_view bytes) { seen += bytes; });
  EXPECT_EQ(result->output.size(), 108894U);
  EXPECT_EQ(result->errors, "fault\n");
  EXPECT_EQ(seen, "fault\n");
  EXPECT_EQ(result->ending.code(), 3);
}

TEST(FindProgram, SkipsRelativeFolders) {
  EXPECT_EQ(find_program("sh", "::.:bin:/bin"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program", "/bin:/usr/bin"), std::nullopt);
}

}  // namespace
}  // namespace process
