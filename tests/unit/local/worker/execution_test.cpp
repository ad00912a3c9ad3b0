// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/execution.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace local {
namespace {

class ExecutionTest : public testing::Test {
 protected:
  ExecutionTest() {
    m_task.environment = {{"PATH", "/usr/bin:/bin"}, {"A", "task"}, {"B", "task"}};
    m_task.folder = m_folder.path().string();
    m_task.log = "a log";
  }
  static std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }
  // "RESULT CODE REASON", and what was told meanwhile.
  std::string run(const Attempt& attempt = nullptr) {
    m_told.clear();
    const base::UniqueFd log(
        ::open((m_folder.path() / "log").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    const ExecutionOptions options{.log = log.get(),
                                   .between_tries = [&]() -> base::Status {
                                     m_told += "again ";
                                     return m_between;
                                   },
                                   .running = [&](bool is_running) -> base::Status {
                                     m_told += is_running ? "starts " : "ends ";
                                     return {};
                                   }};
    const auto execution = execute(m_task, options, attempt);
    m_log = base::read_file(m_folder.path() / "log").value();
    if (!execution) return "error " + execution.error().what;
    m_log_errno = execution->log_errno;
    const char* const k_names[] = {"succeeded", "recovered", "failed", "never asked"};
    return std::string(k_names[static_cast<int>(execution->result)]) + " " +
           std::to_string(execution->exit_code) + " " + execution->reason;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "execution.").value();
  Task m_task;
  base::Status m_between;
  std::string m_told;
  std::string m_log;
  int m_log_errno = 0;
};

TEST_F(ExecutionTest, ACommandHasItsFolderInputAndVariables) {
  m_task.command = shell("pwd; cat; echo $A $B $C >&2");
  m_task.standard_input = "input\n";
  m_task.secret_variables = {{"B", "secret"}, {"C", "secret"}};
  m_task.datum_variables = {{"C", "first"}, {"C", "datum"}};
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_log, base::fs::canonical(m_folder.path()).string() + "\ninput\ntask secret datum\n");
  EXPECT_EQ(m_told, "") << "it has no time limit";
  m_task.command = shell("cat");
  m_task.standard_input = "";
  EXPECT_EQ(run(), "succeeded 0 ");
}

TEST_F(ExecutionTest, WithoutALogOfItsOwnWhatIsPrintedGoesWhereTheWorkersGoes) {
  m_task.command = shell("echo printed");
  m_task.log = "";
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_log, "printed\n") << "somebody asks the pool for it";
  const auto printed_without = [&](const std::string& log) {
    m_task.log = log;
    testing::internal::CaptureStdout();
    const auto execution = execute(m_task, {.log = -1, .between_tries = {}, .running = {}}).value();
    EXPECT_EQ(execution.log_errno, 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(printed_without(""), "printed\n");
  EXPECT_EQ(printed_without("a log"), "") << "it could not be made";
}

TEST_F(ExecutionTest, AcceptedCodesAreSuccess) {
  m_task.command = shell("exit 3");
  EXPECT_EQ(run(), "failed 3 exit code 3");
  m_task.accepted_codes = {2, 4};
  EXPECT_EQ(run(), "failed 3 exit code 3");
  m_task.accepted_codes = {2, 3};
  EXPECT_EQ(run(), "succeeded 3 ");
  m_task.command = shell("exit 0");
  EXPECT_EQ(run(), "succeeded 0 ");
  m_task.accepted_codes = {137};
  m_task.command = shell("kill -9 $$");
  EXPECT_TRUE(run().starts_with("failed 137 signal 9 (")) << "a signal is no code";
}

TEST_F(ExecutionTest, WhatAnExitCodeOrSignalMeansIsSaid) {
  for (const auto& [line, expected] : std::vector<std::pair<std::string, std::string>>{
           {"exit 1", "failed 1 exit code 1"},
           {"exit 126", "failed 126 exit code 126: a command cannot be executed"},
           {"exit 127", "failed 127 exit code 127: a command was not found"},
           {"exit 128", "failed 128 exit code 128"},
           {"exit 137", "failed 137 exit code 137: killed, perhaps out of memory"},
           {"exit 143", "failed 143 exit code 143: as after signal 15 (Terminated)"},
           {"exit 160", "failed 160 exit code 160"},
           {"exit 255", "failed 255 exit code 255"},
           {"kill -9 $$", "failed 137 signal 9 (Killed): perhaps out of memory"},
           {"kill -15 $$", "failed 143 signal 15 (Terminated)"},
       }) {
    m_task.command = shell(line);
    EXPECT_EQ(run(), expected);
  }
}

TEST_F(ExecutionTest, WhatCannotBeStartedFails) {
  const auto folder = m_folder.path().string();
  ASSERT_TRUE(base::write_file(m_folder.path() / "plain", "#!/bin/sh\n", 0644));
  ASSERT_TRUE(base::write_file(m_folder.path() / "tool", "#!/bin/sh\necho tool\n", 0755));
  ASSERT_TRUE(base::write_file(m_folder.path() / "broken", "#!/no/such/interpreter\n", 0755));
  const std::pair<std::string, std::string> k_commands[] = {
      {"no-such-tool", "failed 127 no-such-tool: command not found"},
      {"python3 main.py",
       "failed 127 python3 main.py: command not found; write each word as a string of its own: [\"python3\", "
       "\"main.py\"]"},
      {"sh 'a b'", "failed 127 sh 'a b': command not found"},
      {"./none", "failed 127 ./none: command not found in " + folder},
      {"/no/such/tool", "failed 127 /no/such/tool: command not found"},
      {"./plain", "failed 126 cannot execute ./plain: no execute permission"},
      {folder + "/plain", "failed 126 cannot execute " + folder + "/plain: no execute permission"},
      {"./tool", "succeeded 0 "},
      {folder + "/tool", "succeeded 0 "},
      {"tool", "failed 127 tool: command not found"}};
  for (const auto& [command, outcome] : k_commands) {
    m_task.command = {command};
    EXPECT_EQ(run(), outcome) << command;
  }
  m_task.command = {"./broken"};
  EXPECT_TRUE(run().starts_with("failed 126 ")) << run();
  m_task.environment["PATH"] = folder;
  m_task.command = {"tool"};
  EXPECT_EQ(run(), "succeeded 0 ");
}

TEST_F(ExecutionTest, IsTriedAsOftenAsItMay) {
  m_task.command = shell("echo x");
  m_task.tries = 3;
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_log, "x\n");
  m_task.command = shell("echo x; exit 1");
  EXPECT_EQ(run(), "failed 1 exit code 1");
  EXPECT_EQ(m_log, "x\nx\nx\n");
  EXPECT_EQ(m_told, "again again ");
  m_task.tries = 1;
  EXPECT_EQ(run(), "failed 1 exit code 1");
  EXPECT_EQ(m_told, "");
  m_task.tries = 3;
  m_task.command = shell("echo x; [ -e made ] || { touch made; exit 1; }");
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_log, "x\nx\n");
  m_between = base::fail(base::ErrorKind::io, "", "no room");
  m_task.command = shell("exit 1");
  EXPECT_EQ(run(), "error no room");
}

TEST_F(ExecutionTest, TheErrorCommandRecoversAfterEachTry) {
  m_task.command = shell("echo main; exit 3");
  m_task.error_command = shell("cat; exit 0");
  m_task.standard_input = "not this\n";
  m_task.error_standard_input = "error input\n";
  m_task.tries = 2;
  EXPECT_EQ(run(), "recovered 3 exit code 3");
  EXPECT_EQ(m_log, "main\nerror input\n");
  m_task.error_command = shell("echo error; exit 4");
  EXPECT_EQ(run(), "failed 3 exit code 3") << "what the command itself ended with";
  EXPECT_EQ(m_log, "main\nerror\nmain\nerror\n");
  m_task.command = shell("echo main");
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_log, "main\n");
}

TEST_F(ExecutionTest, ATimeLimitIsForEachCommand) {
  m_task.timeout_ms = 100;
  m_task.command = shell("echo begun; exec sleep 60");
  m_task.error_command = shell("echo error");
  EXPECT_EQ(run(), "recovered 137 timed out after 100 ms");
  EXPECT_EQ(m_told, "starts ends starts ends ");
  EXPECT_EQ(m_log, "begun\nerror\n");
  m_task.error_command.clear();
  m_task.command = shell("sleep 60 & echo $!");
  m_task.timeout_ms = 60'000;
  EXPECT_EQ(run(), "succeeded 0 ");
  EXPECT_EQ(m_told, "starts ends ");
  // What it has left in its group ends with it.
  const auto left = static_cast<pid_t>(std::stol(m_log));
  bool is_gone = false;
  for (int i = 0; i < 500 && !is_gone; ++i) {
    const auto stat = base::read_file("/proc/" + std::to_string(left) + "/stat");
    is_gone = !stat || stat->find(") Z") != std::string::npos;
    if (!is_gone) ::usleep(10'000);
  }
  EXPECT_TRUE(is_gone);
}

TEST_F(ExecutionTest, WhatIsAttemptedInsteadIsJudgedTheSame) {
  int count = 0;
  std::vector<Execution> turns = {Execution::failure("one", 1), Execution::failure("two", 2),
                                  Execution{TaskResult::succeeded, "", 0}};
  const auto attempt = [&]() -> base::Result<Execution> {
    return turns.at(static_cast<std::size_t>(count++));
  };
  m_task.tries = 3;
  EXPECT_EQ(run(attempt), "succeeded 0 ");
  EXPECT_EQ(count, 3);
  // The first reason why the log is not whole stays.
  count = 0;
  turns[0].log_errno = 0;
  turns[1].log_errno = 28;
  turns[2].log_errno = 5;
  run(attempt);
  EXPECT_EQ(m_log_errno, 28);
  count = 0;
  m_task.tries = 1;
  turns[0].log_errno = 7;
  m_task.error_command = shell("exit 1");
  EXPECT_EQ(run(attempt), "failed 1 one");
  EXPECT_EQ(m_log_errno, 7);
  count = 0;
  turns[0] = {TaskResult::never_asked, "none", 9};
  m_task.tries = 3;
  EXPECT_EQ(run(attempt), "never asked 9 none");
  EXPECT_EQ(count, 1);
  EXPECT_EQ(run([]() -> base::Result<Execution> { return base::fail(base::ErrorKind::io, "", "lost"); }),
            "error lost");
}

TEST_F(ExecutionTest, ALogThatCannotBeWrittenIsSaid) {
  m_task.command = shell("echo x");
  const base::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const base::UniqueFd closed(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const auto& [log, error] : {std::pair(full.get(), ENOSPC), std::pair(closed.get(), EBADF)}) {
    const auto execution = execute(m_task, {.log = log, .between_tries = {}, .running = {}}).value();
    EXPECT_EQ(execution.log_errno, error);
    EXPECT_EQ(execution.result, TaskResult::succeeded);
  }
}

}  // namespace
}  // namespace local
