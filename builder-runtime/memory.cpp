// SPDX-License-Identifier: Apache-2.0
// Files of version 2: Documentation/admin-guide/cgroup-v2.rst of Linux; of version 1: cgroup-v1/memory.rst.
#include "builder-runtime/memory.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"

namespace builder {
namespace {

namespace fs = base::fs;

// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t k_no_limit = std::uint64_t{1} << 62;

std::optional<std::uint64_t> limit_in(const fs::path& folder) {
  for (const char* const name : {"memory.max", "memory.limit_in_bytes"}) {
    // "max" of version 2 is none.
    const auto number = base::parse_number(base::trim(base::read_file(folder / name).value_or("")));
    if (number && *number < k_no_limit) return number;
  }
  return std::nullopt;
}

std::uint64_t memory_of_machine() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryGroup MemoryGroup::find(const fs::path& membership, const fs::path& mount) {
  return MemoryGroup(base::ControlGroup::find("memory", membership, mount));
}

std::optional<std::uint64_t> MemoryGroup::limit() const { return m_group.least(limit_in); }

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

MemoryShares share_memory(const std::optional<std::uint64_t>& limit, std::uint64_t least,
                          std::uint64_t processors) {
  const auto processes = limit ? std::clamp<std::uint64_t>(*limit / least, 1, processors) : processors;
  const std::uint64_t shared = limit ? *limit / 10 * 9 : memory_of_machine() / 2;
  return {processes, shared / processes};
}

}  // namespace builder
