// SPDX-License-Identifier: Apache-2.0
// The memory that the container grants: who takes more is killed without a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/control_group.h"
#include "base/files.h"
#include "process/command.h"

namespace builder {

// The control group of this process for memory.
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
  explicit MemoryGroup(base::ControlGroup group) : m_group(std::move(group)) {}
  base::ControlGroup m_group;
};

// Notices that a tool ended because memory ran out.
class MemoryWatch {
 public:
  explicit MemoryWatch(MemoryGroup group = MemoryGroup::find())
      : m_group(std::move(group)), m_kills(m_group.kills()) {}

  // The hint for the error, where that is what ended it.
  [[nodiscard]] std::optional<std::string> hint_after(const process::Ending& ending) const;

 private:
  MemoryGroup m_group;
  std::uint64_t m_kills;
};

// How many processes of a tool may run at a time, and how much memory each then has.
struct MemoryShares {
  std::uint64_t processes = 1;
  std::uint64_t bytes = 0;
};

// Under a limit no more than fit with `least` bytes each, and a tenth of it is left to others. Without one as
// many as there are processors, and half of the machine's memory for them.
MemoryShares share_memory(const std::optional<std::uint64_t>& limit, std::uint64_t least,
                          std::uint64_t processors);

}  // namespace builder
