// SPDX-License-Identifier: Apache-2.0
#include "base/control_group.h"

#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <string>

#include "base/text.h"

namespace base {
namespace {

// The path in "0::/a/b" of version 2, or in "4:cpu,cpuacct:/a/b" of version 1 when it has the controller.
std::optional<fs::path> path_in(std::string_view line, std::string_view controller) {
  const auto first = line.find(':');
  const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
  if (std::find(controllers.begin(), controllers.end(), controller) == controllers.end()) return std::nullopt;
  return fs::path(std::string(line.substr(second + 1))).relative_path();
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  return parse_number(trim(read_file(file).value_or("")));
}

// The processors' time of one group alone.
std::optional<std::uint64_t> quota_in(const fs::path& folder) {
  // "200000 100000": microseconds of time in each so many; "max 100000" and -1 mean all of it.
  const auto words = split(trim(read_file(folder / "cpu.max").value_or("")), ' ');
  const auto quota = words.size() == 2 ? parse_number(words[0]) : number_in(folder / "cpu.cfs_quota_us");
  const auto period = words.size() == 2 ? parse_number(words[1]) : number_in(folder / "cpu.cfs_period_us");
  if (!quota || !period || *period == 0) return std::nullopt;
  return *quota / *period + (*quota % *period > 0 ? 1 : 0);
}

// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t k_no_limit = std::uint64_t{1} << 62;

std::optional<std::uint64_t> memory_limit_in(const fs::path& folder) {
  for (const char* const name : {"memory.max", "memory.limit_in_bytes"}) {
    // "max" of version 2 is none.
    const auto number = number_in(folder / name);
    if (number && *number < k_no_limit) return number;
  }
  return std::nullopt;
}

}  // namespace

ControlGroup ControlGroup::find(std::string_view controller, const fs::path& membership,
                                const fs::path& mount) {
  boost::system::error_code error;
  const bool is_first = fs::exists(mount / std::string(controller), error);
  const fs::path top = is_first ? mount / std::string(controller) : mount;
  fs::path folder = top;
  for (const auto& line : split(read_file(membership).value_or(""), '\n')) {
    const auto path = path_in(line, is_first ? controller : "");
    // A container may see its own group only, at the top, and yet its path from outside.
    if (!path || !fs::is_directory(top / *path, error)) continue;
    folder = top / *path;
    break;
  }
  std::vector<fs::path> folders;
  for (; folder != top && !folder.empty(); folder = folder.parent_path()) folders.push_back(folder);
  folders.push_back(top);
  return ControlGroup(std::move(folders));
}

std::optional<std::uint64_t> ControlGroup::least(
    const std::function<std::optional<std::uint64_t>(const fs::path& folder)>& limit_in) const {
  std::optional<std::uint64_t> least;
  for (const auto& folder : m_folders) {
    if (const auto limit = limit_in(folder)) least = std::min(*limit, least.value_or(*limit));
  }
  return least;
}

std::optional<unsigned> processor_quota(const ControlGroup& group) {
  const auto quota = group.least(quota_in);
  if (!quota) return std::nullopt;
  return static_cast<unsigned>(std::clamp<std::uint64_t>(*quota, 1, 1 << 20));
}

std::optional<std::uint64_t> memory_limit(const ControlGroup& group) { return group.least(memory_limit_in); }

std::uint64_t memory_of_machine() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace base
