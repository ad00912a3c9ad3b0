// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/execution.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "contract/exit_codes.h"
#include "process/child.h"
#include "process/fork.h"

namespace local {
namespace {

// Standard input as a file in memory: a pipe could block us when the program does not read it.
base::Result<base::UniqueFd> standard_input(const std::string& text) {
  base::UniqueFd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (!file) return base::fail(base::system_error("create", "standard input", errno));
  BASE_TRY(base::write_all(file.get(), text, "standard input"));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

base::Result<base::UniqueFd> open_log(const std::string& path) {
  if (path.empty()) return base::UniqueFd();
  base::UniqueFd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log) return base::fail(base::system_error("create", path, errno));
  return log;
}

Execution failure(std::string reason, int exit_code) {
  return {TaskResult::failed, std::move(reason), exit_code};
}

// One run of one command, to its end or to the time limit; then nothing of its group is left.
base::Result<Execution> run_once(const Task& task, const std::vector<std::string>& arguments,
                                 const std::string& input_text) {
  const auto path = task.environment.find("PATH");
  const auto program =
      process::find_program(arguments.at(0), path == task.environment.end() ? "" : path->second);
  if (!program) return failure("command not found: " + arguments[0], contract::k_command_not_found);

  BASE_TRY_ASSIGN(const base::UniqueFd input, standard_input(input_text));
  BASE_TRY_ASSIGN(const base::UniqueFd log, open_log(task.log));
  process::Command command{.arguments = arguments,
                           .environment = task.environment,
                           .folder = task.folder,
                           .standard_input = input.get(),
                           .standard_output = log.get(),
                           .standard_error = log.get()};
  command.arguments[0] = *program;
  auto child = process::Child::start(command);
  if (!child) return failure(child.error().what, contract::k_command_not_runnable);

  const pid_t group = child->pid();
  std::optional<process::Ending> ending;
  if (task.timeout_ms > 0) {
    BASE_TRY_ASSIGN(ending, child->wait_for(std::chrono::milliseconds(task.timeout_ms)));
    if (!ending) child->signal_group(SIGKILL);
  }
  const bool timed_out = task.timeout_ms > 0 && !ending;
  if (!ending) {
    BASE_TRY_ASSIGN(ending, child->wait());
  }
  ::kill(-group, SIGKILL);
  process::reap_orphans();

  if (timed_out) {
    return failure("no end within " + base::format_duration(std::chrono::milliseconds(task.timeout_ms)),
                   ending->exit_code());
  }
  const auto code = ending->code();
  const auto& accepted = task.accepted_codes;
  if (ending->succeeded() || (code && std::find(accepted.begin(), accepted.end(), *code) != accepted.end())) {
    return Execution{TaskResult::succeeded, "", ending->exit_code()};
  }
  return failure(ending->describe(), ending->exit_code());
}

}  // namespace

base::Result<Execution> execute(const Task& task, const BetweenTries& between_tries) {
  for (int attempt = 1;; ++attempt) {
    BASE_TRY_ASSIGN(Execution execution, run_once(task, task.command, task.standard_input));
    if (execution.result == TaskResult::succeeded) return execution;
    if (!task.error_command.empty()) {
      BASE_TRY_ASSIGN(const Execution recovery,
                      run_once(task, task.error_command, task.error_standard_input));
      if (recovery.result == TaskResult::succeeded) {
        execution.result = TaskResult::recovered;
        return execution;
      }
    }
    if (attempt >= task.tries) return execution;
    BASE_TRY(between_tries());
  }
}

}  // namespace local
