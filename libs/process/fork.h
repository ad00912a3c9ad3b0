// SPDX-License-Identifier: Apache-2.0
// A copy of this process as a child of its own: for what must happen between namespaces, where a new program
// would lose its rights. Everything else is started by Child.
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/result.h"
#include "process/command.h"

namespace process {

// Runs `body` in a forked copy, whose exit code it gives, and waits for that. The copy is killed when this
// process dies. Only for processes without threads.
base::Result<Ending> run_in_fork(const std::function<int()>& body);

// Collects every child of this process that has ended: orphans that an init inherited. Call it only while no
// Child is running. Whether any is left that has not ended.
bool reap_orphans();

}  // namespace process
