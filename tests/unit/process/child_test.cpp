// SPDX-License-Identifier: Apache-2.0
#include "process/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "../steps.h"
#include "process/runner.h"
#include "process/shared_runner.h"

namespace process {
namespace {

using std::chrono_literals::operator""ms;

Command shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

// The state and the group of a process, as proc(5) has them. One that has ended stays with state Z until its
// parent, or who took its place, has waited for it.
struct ProcessStatus {
  std::string state;
  pid_t group = 0;
  [[nodiscard]] bool is_alive() const { return !state.empty() && state != "Z" && state != "X"; }
};

ProcessStatus status_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string number;
  std::string name;
  std::string parent;
  ProcessStatus status;
  file >> number >> name >> status.state >> parent >> status.group;
  return status;
}

bool group_is_alive(pid_t group) {
  for (const auto& entry : base::fs::directory_iterator("/proc")) {
    const ProcessStatus status = status_of(entry.path().filename().string());
    if (status.group == group && status.is_alive()) return true;
  }
  return false;
}

// Whether it came about within a time that is far too long.
bool happens(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

Finished run(const Command& command) { return SystemRunner().run(command, {}).value(); }

TEST(Child, AnExitCodeComesBack) {
  for (const int code : {0, 1, 2, 63, 64, 126, 127, 128, 129, 137, 143, 254, 255}) {
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

TEST(Child, InheritsNoDescriptorThatItWasNotGiven) {
  const base::UniqueFd foreign(::open("/dev/null", O_RDONLY));  // as a shell's "9<file" leaves it to us
  const base::UniqueFd given(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  auto command = shell("readlink /proc/$$/fd/* | grep /dev/");
  command.inherited = {given.get()};
  EXPECT_EQ(run(command).output.find("/dev/zero"), run(command).output.rfind("/dev/"));
  EXPECT_EQ(SystemRunner().run(shell("ls -l /proc/self/fd | grep -c /dev/null"), {})->output, "1\n")
      << "its standard input alone";
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
  EXPECT_TRUE(happens([&] { return !group_is_alive(pid); }));
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
  EXPECT_TRUE(happens([&] { return !status_of(std::to_string(pid)).is_alive(); }));
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

// Signals that come while a command of SystemRunner runs. The commands tell by a byte on standard error that
// they are ready for it.
class InterruptedRunner : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds k_end{200};
  static constexpr std::chrono::milliseconds k_cleanup{300};
  static constexpr char k_deaf[] = "trap '' INT TERM HUP; echo ready >&2; while :; do sleep 0.01; done";

  // Runs the script, and sends the signal each time that it prints something.
  bool is_interrupted(const std::string& script, int signal) {
    const auto result =
        runner.run(shell(script), [&](std::string_view /*bytes*/) { ::kill(::getpid(), signal); });
    return !result && result.error().what == "interrupted";
  }
  std::chrono::milliseconds time_of(const std::function<void()>& action) {
    const auto start = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  }

  Interruption interruption = Interruption::watch().value();
  SystemRunner runner{&interruption, {.end = k_end, .cleanup = k_cleanup}};
};

TEST_F(InterruptedRunner, PassesTheSignalOn) {
  EXPECT_TRUE(is_interrupted("trap 'exit 0' INT; echo ready >&2; while :; do sleep 0.01; done", SIGINT));
  EXPECT_EQ(interruption.signal(), SIGINT);
}

TEST_F(InterruptedRunner, KillsWhatIgnoresTheSignalAfterItsTime) {
  const auto took = time_of([&] { EXPECT_TRUE(is_interrupted(k_deaf, SIGTERM)); });
  EXPECT_GE(took, k_end);
}

TEST_F(InterruptedRunner, KillsAtOnceWithTheSecondSignalAndStartsNothingMore) {
  runner = SystemRunner(&interruption, {.end = std::chrono::minutes(5), .cleanup = std::chrono::minutes(5)});
  // It speaks again once it has got the first signal.
  EXPECT_TRUE(
      is_interrupted("trap 'echo again >&2' INT; echo ready >&2; while :; do sleep 0.01; done", SIGINT));
  EXPECT_FALSE(runner.run(shell("exit 0"), {}));
}

TEST_F(InterruptedRunner, WaitsOnlySoLongForWhatCleansUp) {
  runner = SystemRunner(&interruption, {.cleanup = k_cleanup});
  EXPECT_TRUE(is_interrupted(k_deaf, SIGTERM));
  EXPECT_TRUE(runner.run(shell("exit 0"), {}));
  EXPECT_FALSE(runner.run(shell("trap '' TERM; sleep 600"), {}));
  EXPECT_FALSE(runner.run(shell("exit 0"), {}));
}

TEST_F(InterruptedRunner, CleansUpInItsTimeAfterWorkThatWasToldToStop) {
  ::kill(::getpid(), SIGINT);
  EXPECT_FALSE(base::check_stop());
  EXPECT_TRUE(runner.run(shell("exit 0"), {}));  // what has begun is taken back
  EXPECT_FALSE(runner.run(shell("trap '' INT; sleep 600"), {}));
}

// Two threads' commands end by one signal, and what cleans up after them by the next.
TEST_F(InterruptedRunner, OfSeveralThreadsEndsAllOfThem) {
  SharedRunner shared(&interruption);
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "shared-").value();
  const auto pid_of = [&](int number) {
    const auto text = base::read_file((folder.path() / std::to_string(number)).string()).value_or("");
    return text.substr(0, text.find('\n'));
  };
  std::array<bool, 2> interrupted{};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      const auto file = (folder.path() / std::to_string(i)).string();
      const auto result = shared.run(
          shell("trap '' INT; echo $$ >" + file + ".new; mv " + file + ".new " + file + "; sleep 600"), {});
      interrupted.at(static_cast<std::size_t>(i)) = !result && result.error().what == "interrupted";
    });
  }
  EXPECT_TRUE(happens([&] { return !pid_of(0).empty() && !pid_of(1).empty(); }));
  ::kill(::getpid(), SIGINT);
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(interrupted[0]);
  EXPECT_TRUE(interrupted[1]);
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(status_of(pid_of(i)).is_alive());
  EXPECT_TRUE(shared.run(shell("exit 0"), {}));
  const auto result =
      shared.run(shell(k_deaf), [&](std::string_view /*bytes*/) { ::kill(::getpid(), SIGINT); });
  EXPECT_FALSE(result);
  EXPECT_FALSE(shared.run(shell("exit 0"), {})) << "nothing is started after the second signal";
}

TEST(SharedRunner, RunsWithoutAnInterruption) {
  EXPECT_EQ(SharedRunner(nullptr).run(shell("echo a"), {})->output, "a\n");
}

TEST_F(InterruptedRunner, TakesWhatIsLeftOfTheGroupAlong) {
  const auto pids = base::TemporaryFolder::make(testing::TempDir(), "group-").value();
  const auto file = (pids.path() / "pid").string();
  EXPECT_TRUE(is_interrupted("(trap '' INT; exec sleep 600) >/dev/null 2>&1 & echo $! >" + file +
                                 "; trap 'exit 1' INT; echo ready >&2; wait",
                             SIGINT));
  const auto pid = base::read_file(file).value();
  EXPECT_TRUE(happens([&] { return !status_of(pid.substr(0, pid.find('\n'))).is_alive(); }));
}

TEST(FindProgram, SkipsRelativeFolders) {
  EXPECT_EQ(find_program("sh", "::.:bin:/bin"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program", "/bin:/usr/bin"), std::nullopt);
}

TEST(FindProgram, TakesOnlyFilesThatMayBeRun) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "find.").value();
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  ASSERT_TRUE(base::make_folders(path("1/tool")));
  ASSERT_TRUE(base::make_folders(path("2")));
  ASSERT_TRUE(base::make_folders(path("3")));
  ASSERT_TRUE(base::write_file(path("2/tool"), "", 0644));
  ASSERT_TRUE(base::write_file(path("3/tool"), "", 0755));
  EXPECT_EQ(find_program("tool", path("1") + ":" + path("2") + ":" + path("3")), path("3/tool"));
  EXPECT_EQ(find_program(path("1/tool"), ""), std::nullopt);
  EXPECT_EQ(find_program(path("2/tool"), path("3")), std::nullopt);
  EXPECT_EQ(find_program(path("3/tool"), ""), path("3/tool"));
}

TEST(SystemRunner, GetsAllOfAProgramWhoseGroupEndsWithIt) {
  SystemRunner runner(nullptr);
  Command command = shell("head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2; sleep 1000 & exit 3");
  command.ends_its_group = true;
  const auto finished = runner.run(command, {}).value();
  EXPECT_EQ(finished.ending.code(), 3);
  EXPECT_EQ(finished.output.size(), 60000U);
  EXPECT_EQ(finished.errors.size(), 60000U);
}

TEST(SystemRunner, WhicheverCallFailsThereIsAnErrorOrAllOfTheOutput) {
  SystemRunner runner(nullptr);
  base::Result<Finished> finished = base::fail(base::interrupted());
  int errors = 0;
  const int calls = steps::fail_each(
      [&] {
        finished = runner.run(shell("echo out; echo err >&2"), {});
        return finished.has_value();
      },
      [&](bool succeeded, const std::string& failed) {
        errors += succeeded ? 0 : 1;
        if (succeeded) {
          EXPECT_EQ(finished->output + finished->errors, "out\nerr\n") << failed;
          EXPECT_EQ(finished->ending.code(), 0) << failed;
        }
      });
  EXPECT_GT(calls, 1);
  EXPECT_GT(errors, 1);
}

}  // namespace
}  // namespace process
