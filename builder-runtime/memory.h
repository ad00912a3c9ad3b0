// SPDX-License-Identifier: Apache-2.0
// The memory that the container grants: who takes more is killed without a word.
#pragma once

#include <cstdint>
#include <optional>

#include "base/files.h"

namespace builder {

// The control group of this process (cgroups(7)), of either version.
class MemoryGroup {
 public:
  // `membership` and `mount` are where the kernel shows groups.
  static MemoryGroup find(const base::fs::path& membership = "/proc/self/cgroup",
                          const base::fs::path& mount = "/sys/fs/cgroup");

  // The most bytes that all its processes together may have; none when that is all of the machine.
  [[nodiscard]] std::optional<std::uint64_t> limit() const;

  // How many processes have been killed so far because memory ran out.
  [[nodiscard]] std::uint64_t kills() const;

 private:
  explicit MemoryGroup(base::fs::path folder, base::fs::path top)
      : m_folder(std::move(folder)), m_top(std::move(top)) {}
  base::fs::path m_folder;
  base::fs::path m_top;
};

// The bytes of memory that the machine has.
std::uint64_t memory_of_machine();

}  // namespace builder
