// SPDX-License-Identifier: Apache-2.0
// Runs a datum's command as a worker of a cluster does: own process group, standard input of the spec, time
// limit, accepted codes, the error command, tries.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "pachbuild/local/pool/task.h"

namespace local {

// How the tries of a datum ended.
struct Execution {
  TaskResult result = TaskResult::failed;
  std::string reason;
  int exit_code = 0;
  int log_errno = 0;  // as in TaskOutcome

  static Execution failure(std::string reason, int exit_code) {
    return {TaskResult::failed, std::move(reason), exit_code};
  }
};

struct ExecutionOptions {
  // Gets what the command prints, by way of this process; -1: what is printed is dropped when the task has a
  // log, and goes where ours goes when it has none.
  int log = -1;
  // Called between two tries, to empty what the failed one left.
  std::function<base::Status()> between_tries;
  // Told when a command starts and when it has ended, if the task has a time limit.
  std::function<base::Status(bool is_running)> running;
};

// Whether a command that ended so has succeeded.
bool is_accepted(const Task& task, const process::Ending& ending);

// Why a command that ended so has failed: the exit code or signal, and what it means where it has a meaning.
std::string failure_reason(const process::Ending& ending);

// One try of a datum: how it ended, without the error command.
using Attempt = std::function<base::Result<Execution>()>;

// Fails only when the machine does; a program that fails, or is not there, is a result. Without `attempt` a
// try runs the task's command to its end.
base::Result<Execution> execute(const Task& task, const ExecutionOptions& options,
                                const Attempt& attempt = nullptr);

}  // namespace local
