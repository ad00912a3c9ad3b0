// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/cache_limit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "builder-runtime/settings.h"
#include "cache/builder_cache.h"
#include "cache/environment_use.h"
#include "contract/build_record.h"
#include "contract/cache_limit.h"
#include "contract/environment.h"
#include "report/report.h"

namespace builder {
namespace {

namespace fs = base::fs;
using Clock = std::chrono::system_clock;

// "LIMIT BYTES": how many bytes may be added before a cache of that limit has to be looked at again.
constexpr char k_room[] = "room";
constexpr char k_room_lock[] = "room.lock";
// Between a build and the first process of its pipeline; also for programs in containers that share the
// cache, whose processes cannot be seen from here.
constexpr auto k_environment_grace = std::chrono::minutes(10);
// Times of files are as coarse as the kernel's tick.
constexpr auto k_tick = std::chrono::seconds(1);

// The oldest that have to go so that the others, of which `total` is the size afterwards, stay within the
// limit, and may.
std::vector<caches::Entry> choose(std::vector<caches::Entry> entries, std::uint64_t limit,
                                  Clock::time_point begin, std::uint64_t& total) {
  total = 0;
  for (const auto& entry : entries) total += entry.bytes;
  if (total <= limit) return {};
  std::sort(entries.begin(), entries.end(), caches::goes_before);
  const auto use = caches::EnvironmentUse::look();
  std::vector<caches::Entry> chosen;
  for (auto& entry : entries) {
    if (total <= limit) break;
    const bool environment = entry.kind == caches::EntryKind::environment;
    const auto recent = environment ? std::min(begin, Clock::now() - k_environment_grace) : begin;
    if (entry.used >= recent - k_tick) continue;
    if (environment && use.has(entry.path.filename().string())) continue;
    total -= entry.bytes;
    chosen.push_back(std::move(entry));
  }
  return chosen;
}

struct Removed {
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
};

base::Status set_room(const fs::path& cache, std::uint64_t limit, std::uint64_t bytes) {
  return base::write_file(cache / k_room, base::join({std::to_string(limit), std::to_string(bytes)}, " "));
}

// Whether `bytes` more are known to be within the limit. They are counted.
base::Result<bool> take_room(const fs::path& cache, std::uint64_t limit, std::uint64_t bytes) {
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::acquire(cache / k_room_lock));
  const auto words = base::split(base::read_file(cache / k_room).value_or(""), ' ');
  if (words.size() != 2 || base::parse_size(words[0]) != limit) return false;
  const auto room = base::parse_size(words[1]);
  if (!room || *room < bytes) return false;
  BASE_TRY(set_room(cache, limit, *room - bytes));
  return true;
}

// Moves what has to go into the folder `bin`; nothing when another build runs.
base::Result<Removed> move_away(const fs::path& cache, std::uint64_t limit, Clock::time_point begin,
                                const fs::path& bin) {
  Removed removed;
  BASE_TRY_ASSIGN(const auto lock, caches::try_lock_alone(cache));
  if (!lock.held()) return removed;
  std::uint64_t total = 0;
  for (const auto& entry : choose(caches::list_entries(cache), limit, begin, total)) {
    BASE_TRY(base::rename_path(entry.path, bin / ("removed-" + std::to_string(removed.entries))));
    if (!entry.lock.empty()) BASE_TRY(base::remove_tree(entry.lock));
    ++removed.entries;
    removed.bytes += entry.bytes;
  }
  // Others than builders add to a cache as well: half of what is left is for them.
  BASE_TRY_ASSIGN(const auto room_lock, base::FileLock::acquire(cache / k_room_lock));
  BASE_TRY(set_room(cache, limit, total < limit ? (limit - total) / 2 : 0));
  return removed;
}

}  // namespace

base::Result<std::uint64_t> cache_limit(const process::Environment& environment) {
  return contract::parse_cache_limit(value_of(environment, contract::k_cache_limit_variable));
}

base::Result<CacheUse> CacheUse::begin(fs::path cache) {
  BASE_TRY_ASSIGN(auto lock, caches::lock_for_build(cache));
  return CacheUse(std::move(cache), std::move(lock));
}

base::Status CacheUse::shrink(std::uint64_t limit, const std::vector<contract::Bundle>& added) && {
  m_lock.reset();
  if (limit == 0) return {};
  // As a bundle, as an environment, and of Python as much again at most as bytecode.
  std::uint64_t bytes = 0;
  for (const auto& bundle : added) bytes += bundle.bytes + 2 * caches::environment_bytes(bundle);
  BASE_TRY_ASSIGN(const bool fits, take_room(m_cache, limit, bytes));
  if (fits) return {};
  // A folder takes time to remove; moved away it is gone at once, and the lock is free again.
  BASE_TRY_ASSIGN(const auto bin, caches::make_workspace(m_cache));
  BASE_TRY_ASSIGN(const auto removed, move_away(m_cache, limit, m_begin, bin.path()));
  if (removed.entries == 0) return {};
  report::info("cache: removed the least recently used " + base::format_bytes(removed.bytes));
  return {};
}

}  // namespace builder
