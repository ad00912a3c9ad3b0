// SPDX-License-Identifier: Apache-2.0
// The worker process: does tasks, one after the other, in a sandbox of its own. pachbuild starts itself as
// `pachbuild worker …` for each; the pool (pool.h) is the other end.
#pragma once

#include <string>

#include "base/result.h"

namespace local {

// The hidden command of pachbuild that is a worker.
inline constexpr char k_worker_command[] = "worker";

struct WorkerOptions {
  int socket = -1;     // the channel to the pool
  std::string folder;  // the worker's own: pfs/ and root/ are made in it
};

// Serves until the pool closes the channel, then ends the process.
[[noreturn]] void serve_tasks(const WorkerOptions& options);

}  // namespace local
