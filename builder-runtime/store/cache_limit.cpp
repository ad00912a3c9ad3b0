// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/cache_limit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/settings.h"
#include "builder-runtime/store/bundle_store.h"
#include "builder-runtime/store/workspace.h"
#include "contract/build_record.h"
#include "contract/cache_limit.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder {
namespace {

namespace fs = base::fs;
using Clock = std::chrono::system_clock;

constexpr char k_lock[] = "lock";
// "LIMIT BYTES": how many bytes may be added before a cache of that limit has to be looked at again.
constexpr char k_room[] = "room";
constexpr char k_room_lock[] = "room.lock";
// Between a build and the first process of its pipeline; also for programs in containers that share the
// cache, whose processes cannot be seen from here.
constexpr auto k_environment_grace = std::chrono::minutes(10);
// Times of files are as coarse as the kernel's tick.
constexpr auto k_tick = std::chrono::seconds(1);
// What a file takes on a disk beyond its bytes: half a block on average.
constexpr std::uint64_t k_file_overhead = 2048;

struct Entry {
  fs::path path;
  std::uint64_t bytes = 0;
  Clock::time_point used;
  fs::path lock;  // the file that goes with it; empty: none
};

bool goes_before(const Entry& a, const Entry& b) {
  return std::tie(a.used, a.path) < std::tie(b.used, b.path);
}

bool is_sealed(const struct stat& status) {
  return S_ISDIR(status.st_mode) && (status.st_mode & contract::k_sealed_bit) != 0;
}

Clock::time_point time_of(const struct stat& status) {
  const timespec& used = is_sealed(status) ? status.st_ctim : status.st_mtim;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec)));
}

// What cannot be read is no entry: another process may have removed it.
std::vector<fs::path> list(const fs::path& folder) {
  std::vector<fs::path> paths;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') paths.push_back(entry->path());
  }
  return paths;
}

std::uint64_t environment_bytes(const contract::Bundle& bundle) {
  return bundle.unpacked_bytes + bundle.files * k_file_overhead;
}

std::uint64_t measure_tree(const fs::path& tree) {
  std::uint64_t bytes = 0;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(tree, error), end; entry != end; entry.increment(error)) {
    struct stat status{};
    if (::lstat(entry->path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
      bytes += static_cast<std::uint64_t>(status.st_size);
    bytes += k_file_overhead;
  }
  return bytes;
}

// All entries of a cache with their sizes.
class Inventory {
 public:
  explicit Inventory(const fs::path& cache) {
    for (const auto& language : languages()) add_bundles(cache / std::string(language.name));
    share_files();
    for (const auto& file : list(cache / "python" / "bytecode")) add(file, file, std::nullopt, {});
    for (const auto& tree : list(cache / contract::k_cache_environments)) {
      const auto known = m_unpacked.find(tree.filename().string());
      add(tree, tree, known == m_unpacked.end() ? measure_tree(tree) : known->second, {});
    }
  }

  std::vector<Entry> take() { return std::move(m_entries); }

 private:
  void add_bundles(const fs::path& folder) {
    for (const auto& entry : list(folder / "bundles")) {
      // A bundle's record tells the size of its environment, which saves looking at each of its files.
      const auto text = base::read_file(entry / contract::k_record);
      const auto record = text ? contract::parse_build_record(*text, "") : base::fail(text.error());
      if (record) {
        for (const auto& bundle : record->bundles) m_unpacked[bundle.digest] = environment_bytes(bundle);
      }
      add(entry, stamp_of_bundle(entry), 0, folder / "locks" / entry.filename());
      for (const auto& file : list(entry)) add_file(file);
    }
  }

  // A file of the entry that was added last.
  void add_file(const fs::path& file) {
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0) return;
    auto& [bytes, entries] = m_files[{status.st_dev, status.st_ino}];
    bytes = static_cast<std::uint64_t>(status.st_size) + k_file_overhead;
    entries.push_back(m_entries.size() - 1);
  }

  // A bundle of several entries is one file, which goes with the last of them.
  void share_files() {
    for (const auto& [file, content] : m_files) {
      const auto last = *std::max_element(
          content.entries.begin(), content.entries.end(),
          [&](std::size_t a, std::size_t b) { return goes_before(m_entries[a], m_entries[b]); });
      m_entries[last].bytes += content.bytes;
    }
  }

  // `stamp` has the time of the last use; nothing is known of an entry without it, so it is the oldest.
  void add(const fs::path& path, const fs::path& stamp, std::optional<std::uint64_t> bytes, fs::path lock) {
    struct stat status{};
    const bool known = ::lstat(stamp.c_str(), &status) == 0;
    m_entries.push_back({path, bytes.value_or(static_cast<std::uint64_t>(status.st_size)),
                         known ? time_of(status) : Clock::time_point(), std::move(lock)});
  }

  struct File {
    std::uint64_t bytes = 0;
    std::vector<std::size_t> entries;  // that have it
  };

  std::map<std::string, std::uint64_t> m_unpacked;  // by digest
  std::map<std::pair<dev_t, ino_t>, File> m_files;
  std::vector<Entry> m_entries;
};

// The environments of all processes that can be seen.
std::set<std::string> environments_in_use() {
  const std::string prefix = std::string(contract::k_environment_variable) + "=";
  std::set<std::string> result;
  for (const auto& process : list("/proc")) {
    const auto variables = base::read_file(process / "environ");
    if (!variables) continue;
    for (const auto& variable : base::split(*variables, '\0')) {
      if (variable.starts_with(prefix))
        result.insert(fs::path(variable.substr(prefix.size())).filename().string());
    }
  }
  return result;
}

// The oldest that have to go so that the others, of which `total` is the size afterwards, stay within the
// limit, and may.
std::vector<Entry> choose(std::vector<Entry> entries, std::uint64_t limit, Clock::time_point begin,
                          std::uint64_t& total) {
  total = 0;
  for (const auto& entry : entries) total += entry.bytes;
  if (total <= limit) return {};
  std::sort(entries.begin(), entries.end(), goes_before);
  const auto in_use = environments_in_use();
  std::vector<Entry> chosen;
  for (auto& entry : entries) {
    if (total <= limit) break;
    const bool environment = entry.path.parent_path().filename() == contract::k_cache_environments;
    const auto recent = environment ? std::min(begin, Clock::now() - k_environment_grace) : begin;
    if (entry.used >= recent - k_tick) continue;
    if (environment && in_use.contains(entry.path.filename().string())) continue;
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
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::try_acquire(cache / k_lock));
  if (!lock.held()) return removed;
  std::uint64_t total = 0;
  for (const auto& entry : choose(Inventory(cache).take(), limit, begin, total)) {
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

void mark_used(const base::fs::path& path) {
  // An environment that worker-shim has sealed has the seal as its modification time: what may change is the
  // time of the last change of the inode.
  struct stat status{};
  const bool sealed = ::stat(path.c_str(), &status) == 0 && is_sealed(status);
  const timespec times[] = {{0, UTIME_NOW}, {0, sealed ? UTIME_OMIT : UTIME_NOW}};
  static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), times, 0));
}

base::Result<CacheUse> CacheUse::begin(fs::path cache) {
  BASE_TRY_ASSIGN(auto lock, base::FileLock::acquire(cache / k_lock, base::FileLock::Mode::shared));
  return CacheUse(std::move(cache), std::move(lock));
}

base::Status CacheUse::shrink(std::uint64_t limit, const std::vector<contract::Bundle>& added) && {
  m_lock.reset();
  if (limit == 0) return {};
  // As a bundle, as an environment, and of Python as much again at most as bytecode.
  std::uint64_t bytes = 0;
  for (const auto& bundle : added) bytes += bundle.bytes + 2 * environment_bytes(bundle);
  BASE_TRY_ASSIGN(const bool fits, take_room(m_cache, limit, bytes));
  if (fits) return {};
  // A folder takes time to remove; moved away it is gone at once, and the lock is free again.
  BASE_TRY_ASSIGN(const auto bin, make_workspace(m_cache));
  BASE_TRY_ASSIGN(const auto removed, move_away(m_cache, limit, m_begin, bin.path()));
  if (removed.entries == 0) return {};
  report::info("cache: removed the least recently used " + base::format_bytes(removed.bytes));
  return {};
}

}  // namespace builder
