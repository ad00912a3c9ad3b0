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
  // The channel to the pool: the number of a descriptor, or the path of a socket. With a path this process is
  // the first of a container, where the engine shows pfs/ as /pfs.
  std::string channel;
  std::string folder;  // the worker's own, with pfs/ in it
};

// Serves until the pool closes the channel, then ends the process.
[[noreturn]] void serve_tasks(const WorkerOptions& options);

}  // namespace local
