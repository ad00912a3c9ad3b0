// SPDX-License-Identifier: Apache-2.0
// Whether a container is about to run out of memory.
#pragma once

#include <string>

namespace shim::preload {

// Whether what processes have for themselves (no file's pages, which the kernel can take back) fills nine
// tenths of the container's limit. `groups`: where control groups are mounted, of either version
// (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux); a container sees its own
// there.
bool is_memory_scarce(const std::string& groups = "/sys/fs/cgroup");

}  // namespace shim::preload
