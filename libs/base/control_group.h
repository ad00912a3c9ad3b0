// SPDX-License-Identifier: Apache-2.0
// What a container grants, as the kernel shows it: control groups of either version (cgroups(7)).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace base {

// The group of this process, in which a limit of it may be written, and those around it, which bound it too.
class ControlGroup {
 public:
  // Of a controller of version 1 ("memory", "cpu"), where it is mounted; else that of version 2, which has
  // all of them. `membership` and `mount` are where the kernel shows groups.
  static ControlGroup find(std::string_view controller, const fs::path& membership = "/proc/self/cgroup",
                           const fs::path& mount = "/sys/fs/cgroup");

  // The folder of the group, and then those around it, as far as they can be seen from here.
  [[nodiscard]] const std::vector<fs::path>& folders() const { return m_folders; }

  // The least of what `limit_in` says of each of them; none: no limit.
  [[nodiscard]] std::optional<std::uint64_t> least(
      const std::function<std::optional<std::uint64_t>(const fs::path& folder)>& limit_in) const;

 private:
  explicit ControlGroup(std::vector<fs::path> folders) : m_folders(std::move(folders)) {}
  std::vector<fs::path> m_folders;
};

// How many processors' time the group gets, at least 1, a part of one counted as one: `cpu.max` of version 2
// (Documentation/admin-guide/cgroup-v2.rst of Linux), `cpu.cfs_quota_us` of version 1
// (Documentation/scheduler/sched-bwc.rst). None: as much as there is.
std::optional<unsigned> processor_quota(const ControlGroup& group);

// The most bytes that all processes of the group together may have: `memory.max` of version 2,
// `memory.limit_in_bytes` of version 1 (cgroup-v1/memory.rst). None: as much as there is.
std::optional<std::uint64_t> memory_limit(const ControlGroup& group);

// The memory of the machine, whatever the group gets of it.
std::uint64_t memory_of_machine();

}  // namespace base
