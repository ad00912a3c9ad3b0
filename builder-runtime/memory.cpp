// SPDX-License-Identifier: Apache-2.0
// Files of version 2: Documentation/admin-guide/cgroup-v2.rst of Linux; of version 1: cgroup-v1/memory.rst.
#include "builder-runtime/memory.h"

#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <charconv>

#include "base/text.h"

namespace builder {
namespace {

namespace fs = base::fs;

// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t k_no_limit = std::uint64_t{1} << 62;

std::optional<std::uint64_t> number_of(std::string_view text) {
  text = base::trim(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;  // "max"
  return number;
}

std::optional<std::uint64_t> limit_in(const fs::path& folder) {
  for (const char* const name : {"memory.max", "memory.limit_in_bytes"}) {
    const auto number = number_of(base::read_file(folder / name).value_or(""));
    if (number && *number < k_no_limit) return number;
  }
  return std::nullopt;
}

// "0::/a/b" of version 2, "7:memory:/a/b" of version 1.
std::optional<fs::path> path_in(const std::string& line, const std::string& controllers) {
  const auto first = line.find(':');
  const auto second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos || line.substr(first + 1, second - first - 1) != controllers)
    return std::nullopt;
  return fs::path(line.substr(second + 1)).relative_path();
}

std::uint64_t memory_of_machine() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryGroup MemoryGroup::find(const fs::path& membership, const fs::path& mount) {
  boost::system::error_code error;
  const bool is_first = fs::exists(mount / "memory", error);
  const fs::path top = is_first ? mount / "memory" : mount;
  for (const auto& line : base::split(base::read_file(membership).value_or(""), '\n')) {
    const auto path = path_in(line, is_first ? "memory" : "");
    // A container may see its own group only, at the top, and yet its path from outside.
    if (path && fs::is_directory(top / *path, error)) return MemoryGroup(top / *path, top);
  }
  return MemoryGroup(top, top);
}

std::optional<std::uint64_t> MemoryGroup::limit() const {
  std::optional<std::uint64_t> least;
  for (fs::path folder = m_folder;; folder = folder.parent_path()) {
    const auto limit = limit_in(folder);
    if (limit) least = std::min(*limit, least.value_or(*limit));
    if (folder == m_top || folder.empty()) return least;
  }
}

std::uint64_t MemoryGroup::kills() const {
  constexpr std::string_view k_count = "oom_kill ";
  for (const char* const name : {"memory.events", "memory.oom_control"}) {
    for (const auto& line : base::split(base::read_file(m_folder / name).value_or(""), '\n')) {
      if (line.starts_with(k_count)) return number_of(line.substr(k_count.size())).value_or(0);
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
