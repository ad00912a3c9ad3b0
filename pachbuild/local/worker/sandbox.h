// SPDX-License-Identifier: Apache-2.0
// A view of this machine that has a /pfs of its own: mount and PID namespaces, with a user namespace where
// the person is not root. Nothing else differs: same user, same files, same network.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "process/command.h"

namespace local {

// Runs `body` as process 1 of a new PID namespace that has a /pfs in memory, for a few links and small files,
// in which the folder `scratch` is mounted at /pfs/.scratch; `root` is an empty folder to build the view on.
// `body` gets the error when the view could not be made. When it returns, or dies, every process of the
// namespace is killed and every mount is gone. Gives how it ended. Call it in a process without threads.
base::Result<process::Ending> run_in_sandbox(const std::string& scratch, const std::string& root,
                                             const std::function<int(const base::Status&)>& body);

// What the memory behind `pfs` is limited to, "64.0 MiB" or "16,384 files", if it has reached that; empty: it
// has not, or `pfs` is on a disk.
std::string reached_limit(const std::string& pfs);

// An existing folder at `path` of this view, to mount something on, which is made without a change to the
// machine's own files. Gives its path without links. For process 1 of a sandbox.
base::Result<std::string> make_mount_point(const std::string& path);

}  // namespace local
