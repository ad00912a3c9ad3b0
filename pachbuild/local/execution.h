// SPDX-License-Identifier: Apache-2.0
// Runs a datum's command as a worker of a cluster does: own process group, standard input of the spec, time
// limit, accepted codes, the error command, tries.
#pragma once

#include <functional>

#include "pachbuild/local/task.h"

namespace local {

// How the tries of a datum ended.
struct Execution {
  TaskResult result = TaskResult::failed;
  std::string reason;
  int exit_code = 0;
};

// Called between two tries, to empty what the failed one left.
using BetweenTries = std::function<base::Status()>;

// Fails only when the machine does; a program that fails, or is not there, is a result.
base::Result<Execution> execute(const Task& task, const BetweenTries& between_tries);

}  // namespace local
