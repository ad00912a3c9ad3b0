// SPDX-License-Identifier: Apache-2.0
#include "process/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "../steps.h"
#include "process/child.h"
#include "process/runner.h"
#include "process/terminal.h"

namespace process {
namespace {

using std::chrono_literals::operator""ms;

Command script_of(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

std::string output_of(const Command& command) {
  const auto finished = SystemRunner().run(command, {});
  EXPECT_TRUE(finished) << finished.error().what;
  return finished ? finished->output : "";
}

TEST(Ending, SaysHowAProcessEnded) {
  const struct {
    int status;
    bool succeeded;
    std::optional<int> code, signal;
    int exit_code;
    std::string text, predicate;
  } rows[] = {
      {W_EXITCODE(0, 0), true, 0, std::nullopt, 0, "exit code 0", "exited with code 0"},
      {W_EXITCODE(1, 0), false, 1, std::nullopt, 1, "exit code 1", "exited with code 1"},
      {W_EXITCODE(255, 0), false, 255, std::nullopt, 255, "exit code 255", "exited with code 255"},
      {W_EXITCODE(0, SIGTERM), false, std::nullopt, SIGTERM, 143, "signal 15 (Terminated)",
       "was killed by signal 15 (Terminated)"},
      {W_EXITCODE(0, SIGKILL), false, std::nullopt, SIGKILL, 137, "signal 9 (Killed)",
       "was killed by signal 9 (Killed)"},
      {W_EXITCODE(0, 64), false, std::nullopt, 64, 192, "signal 64", "was killed by signal 64"},
  };
  for (const auto& row : rows) {
    const auto ending = Ending::from_wait_status(row.status);
    EXPECT_EQ(ending.succeeded(), row.succeeded) << row.text;
    EXPECT_EQ(ending.code(), row.code) << row.text;
    EXPECT_EQ(ending.signal(), row.signal) << row.text;
    EXPECT_EQ(ending.exit_code(), row.exit_code) << row.text;
    EXPECT_EQ(ending.describe(), row.text);
    EXPECT_EQ(ending.predicate(), row.predicate);
  }
}

TEST(CurrentEnvironment, HasTheFirstValueOfEachName) {
  std::array<std::string, 6> entries = {"A=1", "A=2", "nothing", "B=", "C=a=b", "=D=e"};
  std::vector<char*> pointers;
  for (auto& entry : entries) pointers.push_back(entry.data());
  pointers.push_back(nullptr);
  char** const before = environ;
  environ = pointers.data();
  const auto own = current_environment();
  environ = nullptr;
  const auto none = current_environment();
  environ = before;
  EXPECT_EQ(own, (Environment{{"A", "1"}, {"B", ""}, {"C", "a=b"}, {"=D", "e"}}));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(value_of(own, "C"), "a=b");
  EXPECT_EQ(value_of(own, "D"), "");
}

TEST(FindProgram, APathIsMadeAbsolute) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "find.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "tool", "", 0755));
  const auto before = base::fs::current_path();
  base::fs::current_path(folder.path());
  EXPECT_EQ(find_program("./tool", "/bin"), (base::fs::current_path() / "./tool").string());
  EXPECT_EQ(find_program("tool", ""), std::nullopt);
  EXPECT_EQ(find_program("tool", ".:" + folder.path().string()), (folder.path() / "tool").string());
  base::fs::current_path(before);
}

TEST(Child, WhatCannotBeExecutedIsUnavailable) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "exec.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "plain", "text", 0644));
  ASSERT_TRUE(base::write_file(folder.path() / "text", "text", 0755));
  base::fs::create_symlink("circle", folder.path() / "circle");
  using base::ErrorKind;
  const std::vector<std::tuple<std::string, ErrorKind, std::string>> rows = {
      {"none", ErrorKind::unavailable, "cannot start: no such file or folder"},
      {"plain", ErrorKind::unavailable, "cannot start: permission denied"},
      {"text", ErrorKind::unavailable, "cannot start: Exec format error"},
      {"circle", ErrorKind::io, "cannot start: too many symbolic links"},
  };
  for (const auto& [name, kind, what] : rows) {
    const auto child = Child::start({.arguments = {(folder.path() / name).string()}, .environment = {}});
    ASSERT_FALSE(child) << name;
    EXPECT_EQ(child.error().kind, kind) << name;
    EXPECT_EQ(child.error().what, what);
    EXPECT_EQ(child.error().where, (folder.path() / name).string());
  }
}

TEST(Child, NeedsAStandardInput) {
  const steps::Watch watch(
      [](std::string_view call, std::string_view path) {
        return call == "open" && path == "/dev/null" ? EMFILE : 0;
      },
      steps::Calls::all);
  const auto child = Child::start(script_of("exit 0"));
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().where, "/dev/null");
  EXPECT_EQ(child.error().what, "cannot read: too many files are open (ulimit -n)");
}

TEST(Child, StartsInItsFolderAndLeadsItsGroup) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "folder.").value();
  auto command = script_of("pwd -P; test $$ = $(cut -d' ' -f5 /proc/$$/stat) && echo leads");
  command.folder = folder.path();
  EXPECT_EQ(output_of(command), base::fs::canonical(folder.path()).string() + "\nleads\n");
  command.folder = "";
  EXPECT_EQ(output_of(command), base::fs::current_path().string() + "\nleads\n");
}

// Standard error may go where this program's standard output goes, also when the child's goes elsewhere.
TEST(Child, HasItsStandardStreams) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "streams.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "in", "typed\n"));
  const auto file = [&](const std::string& name, int flags) {
    return base::UniqueFd(::open((folder.path() / name).c_str(), flags | O_CLOEXEC, 0600));
  };
  const auto in = file("in", O_RDONLY);
  const auto out = file("out", O_WRONLY | O_CREAT);
  const auto own = file("own", O_WRONLY | O_CREAT);
  auto command = script_of("cat; echo printed; echo fault >&2");
  command.standard_input = in.get();
  command.standard_output = out.get();
  command.standard_error = STDOUT_FILENO;
  std::fflush(stdout);
  const int before = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  ::dup2(own.get(), STDOUT_FILENO);
  const auto ending = SystemRunner().run_in_view(command);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ASSERT_TRUE(ending);
  EXPECT_TRUE(ending->succeeded());
  EXPECT_EQ(base::read_file(folder.path() / "out").value(), "typed\nprinted\n");
  EXPECT_EQ(base::read_file(folder.path() / "own").value(), "fault\n");
}

TEST(Child, OwnsTheTerminalThatItIsGiven) {
  const auto pty = Pty::open().value();
  auto command = script_of("echo said >/dev/tty && test $$ = $(cut -d' ' -f6 /proc/$$/stat)");
  command.standard_input = pty.far.get();
  command.owns_terminal = true;
  EXPECT_EQ(SystemRunner().run(command, {})->ending.code(), 0);
  std::array<char, 64> said{};
  const auto count = ::read(pty.near.get(), said.data(), said.size());
  EXPECT_EQ(std::string(said.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))), "said\r\n");
}

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  char state = '?';
  file >> number >> name >> state;
  return state;
}

TEST(Child, StopsWithItsGroupInItsOwnTime) {
  auto child = Child::start(script_of("exec sleep 60")).value();
  child.suspend_group(10'000ms);
  EXPECT_EQ(state_of(child.pid()), 'T');
  child.signal_group(SIGCONT);
  child.signal_group(SIGKILL);
  EXPECT_EQ(child.wait().value().signal(), SIGKILL);
  child.suspend_group(10'000ms);  // it is gone: nothing happens
  child.signal_group(SIGKILL);
}

TEST(Child, IsGivenUpOnlyAfterItsTimeToStop) {
  const auto begin = std::chrono::steady_clock::now();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const base::UniqueFd read(ends[0]);
  const base::UniqueFd write(ends[1]);
  auto command = script_of("trap '' TSTP; echo ready; exec sleep 60");
  command.standard_output = write.get();
  const auto deaf = Child::start(command).value();
  char byte = 0;
  ASSERT_EQ(::read(read.get(), &byte, 1), 1);
  deaf.suspend_group(30ms);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 30ms);
  EXPECT_NE(state_of(deaf.pid()), 'T');
  // One that has ended is not waited for.
  auto ended = Child::start(script_of("exit 0")).value();
  while (state_of(ended.pid()) != 'Z') ::sched_yield();
  ended.suspend_group(std::chrono::hours(1));
  EXPECT_EQ(ended.wait_for(0ms).value()->code(), 0);
}

TEST(Child, IsWaitedForUntilItEnds) {
  auto child = Child::start(script_of("exit 7")).value();
  EXPECT_EQ(child.wait_for(60'000ms).value()->code(), 7);
  auto other = Child::start(script_of("exec sleep 60")).value();
  EXPECT_EQ(other.wait_for(-5ms).value(), std::nullopt);
  EXPECT_EQ(other.wait_for(0ms).value(), std::nullopt);
}

TEST(SystemRunner, EndsACommandAfterItsTime) {
  for (const auto& [limit, text] : std::vector<std::pair<std::chrono::milliseconds, std::string>>{
           {40ms, "did not answer within 1 s"}, {1001ms, "did not answer within 2 s"}}) {
    auto command = script_of("exec sleep 600");
    command.time_limit = limit;
    const auto begin = std::chrono::steady_clock::now();
    const auto finished = SystemRunner().run(command, {});
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().kind, base::ErrorKind::unavailable);
    EXPECT_EQ(finished.error().where, "sh");
    EXPECT_EQ(finished.error().what, text);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, limit);
  }
  auto quick = script_of("echo done");
  quick.time_limit = std::chrono::minutes(10);
  EXPECT_EQ(output_of(quick), "done\n");
}

TEST(SystemRunner, WaitsForWhoeverHoldsTheOutputUnlessTheGroupEnds) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "held.").value();
  auto command =
      script_of("(while test ! -e go; do sleep 0.01; done; echo late) & echo early; : >go; exit 0");
  command.folder = folder.path();
  EXPECT_EQ(output_of(command), "early\nlate\n");
  command = script_of("(trap '' TERM; while :; do sleep 60; done) & echo early; exit 0");
  command.ends_its_group = true;
  EXPECT_EQ(output_of(command), "early\n");
}

}  // namespace
}  // namespace process
