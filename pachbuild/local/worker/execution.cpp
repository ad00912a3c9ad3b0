// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/execution.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <variant>

#include "contract/exit_codes.h"
#include "pachbuild/local/worker/running_command.h"

namespace local {
namespace {

Execution judge(const Task& task, const process::Ending& ending, bool timed_out) {
  if (timed_out) return Execution::failure(timeout_reason(task), ending.exit_code());
  if (is_accepted(task, ending)) return Execution{TaskResult::succeeded, "", ending.exit_code()};
  return Execution::failure(failure_reason(ending), ending.exit_code());
}

// One run of one command, to its end or to the time limit; then nothing of its group is left.
base::Result<Execution> run_once(const Task& task, const std::vector<std::string>& arguments,
                                 const std::string& input_text, const ExecutionOptions& options) {
  const auto environment = environment_of(task);
  const bool is_limited = task.timeout_ms > 0;
  if (is_limited) BASE_TRY(options.running(true));
  BASE_TRY_ASSIGN(auto started, RunningCommand::start({.arguments = arguments,
                                                       .environment = environment,
                                                       .folder = task.folder,
                                                       .standard_input = input_text,
                                                       .log = task.log.empty() && options.log < 0
                                                                  ? std::nullopt
                                                                  : std::optional(options.log)}));
  if (auto* const failed = std::get_if<Execution>(&started)) return std::move(*failed);
  auto& command = std::get<RunningCommand>(started);

  std::optional<RunningCommand::Clock::time_point> deadline;
  if (is_limited) deadline = RunningCommand::Clock::now() + std::chrono::milliseconds(task.timeout_ms);
  BASE_TRY_ASSIGN(const auto event, command.wait(deadline));
  BASE_TRY_ASSIGN(const process::Ending ending, command.end());
  if (is_limited) BASE_TRY(options.running(false));

  Execution execution = judge(task, ending, event == RunningCommand::Event::timed_out);
  execution.log_errno = command.log_errno();
  return execution;
}

}  // namespace

bool is_accepted(const Task& task, const process::Ending& ending) {
  const auto code = ending.code();
  const auto& accepted = task.accepted_codes;
  return ending.succeeded() || (code && std::find(accepted.begin(), accepted.end(), *code) != accepted.end());
}

std::string failure_reason(const process::Ending& ending) {
  constexpr int k_signals = 32;
  constexpr int k_killed = contract::k_signal_base + SIGKILL;
  const std::string reason = ending.describe();
  if (ending.signal() == SIGKILL) return reason + ": perhaps out of memory";
  const int code = ending.code().value_or(0);
  if (code == contract::k_command_not_runnable) return reason + ": a command cannot be executed";
  if (code == contract::k_command_not_found) return reason + ": a command was not found";
  if (code == k_killed) return reason + ": killed, perhaps out of memory";
  const int signal = code - contract::k_signal_base;
  if (signal <= 0 || signal >= k_signals) return reason;
  return reason + ": as after " + process::Ending::from_wait_status(signal).describe();
}

base::Result<Execution> execute(const Task& task, const ExecutionOptions& options, const Attempt& attempt) {
  int log_errno = 0;  // the first of all runs
  const auto run = [&](const Attempt& once) -> base::Result<Execution> {
    BASE_TRY_ASSIGN(Execution execution, once());
    if (log_errno == 0) log_errno = execution.log_errno;
    execution.log_errno = log_errno;
    return execution;
  };
  const auto run_command = [&] { return run_once(task, task.command, task.standard_input, options); };
  const auto run_error_command = [&] {
    return run_once(task, task.error_command, task.error_standard_input, options);
  };
  for (int number = 1;; ++number) {
    BASE_TRY_ASSIGN(Execution execution, run(attempt ? attempt : run_command));
    if (execution.result != TaskResult::failed) return execution;
    if (!task.error_command.empty()) {
      BASE_TRY_ASSIGN(const Execution recovery, run(run_error_command));
      execution.log_errno = recovery.log_errno;
      if (recovery.result == TaskResult::succeeded) {
        execution.result = TaskResult::recovered;
        return execution;
      }
    }
    if (number >= task.tries) return execution;
    BASE_TRY(options.between_tries());
  }
}

}  // namespace local
