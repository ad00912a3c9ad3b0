// SPDX-License-Identifier: Apache-2.0
// The command of a task that a person attends: where the task's program would start, but with that person's
// streams, or with a terminal of its own.
#pragma once

#include "base/result.h"
#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/worker/execution.h"

namespace local {

// Runs it to its end; /pfs is laid out. `channel` has the other end of what pool/attended.h says. A command
// that ran has succeeded, whatever its exit code is.
base::Result<Execution> run_attended(const Task& task, Channel& channel);

}  // namespace local
