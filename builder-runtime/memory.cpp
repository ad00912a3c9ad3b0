// SPDX-License-Identifier: Apache-2.0
// Files of version 2: Documentation/admin-guide/cgroup-v2.rst of Linux; of version 1: cgroup-v1/memory.rst.
#include "builder-runtime/memory.h"

#include <algorithm>
#include <csignal>

#include "base/text.h"

namespace builder {

namespace fs = base::fs;

MemoryGroup MemoryGroup::find(const fs::path& membership, const fs::path& mount) {
  return MemoryGroup(base::ControlGroup::find("memory", membership, mount));
}

std::optional<std::uint64_t> MemoryGroup::limit() const { return base::memory_limit(m_group); }

std::uint64_t MemoryGroup::kills() const {
  constexpr std::string_view k_count = "oom_kill ";
  for (const char* const name : {"memory.events", "memory.oom_control"}) {
    for (const auto& line :
         base::split(base::read_file(m_group.folders().front() / name).value_or(""), '\n')) {
      if (line.starts_with(k_count))
        return base::parse_number(base::trim(line.substr(k_count.size()))).value_or(0);
    }
  }
  return 0;
}

std::optional<std::string> MemoryWatch::hint_after(const process::Ending& ending) const {
  if (m_group.kills() <= m_kills && ending.signal() != SIGKILL) return std::nullopt;
  const auto limit = m_group.limit();
  return "raise the memory in transform.build.resource_limits" +
         (limit ? ", now " + base::format_bytes(*limit) : std::string());
}

MemoryShares share_memory(const std::optional<std::uint64_t>& limit, std::uint64_t least,
                          std::uint64_t processors) {
  const auto processes = limit ? std::clamp<std::uint64_t>(*limit / least, 1, processors) : processors;
  const std::uint64_t shared = limit ? *limit / 10 * 9 : base::memory_of_machine() / 2;
  return {processes, shared / processes};
}

}  // namespace builder
