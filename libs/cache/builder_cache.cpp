// SPDX-License-Identifier: Apache-2.0
#include "cache/builder_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <tuple>
#include <utility>

#include "contract/build_record.h"
#include "contract/layout.h"

namespace caches {
namespace {

constexpr char k_lock[] = "lock";
constexpr char k_seal[] = "seal";
constexpr char k_bundles[] = "bundles";
// One name for all: a workspace removes the orphans that have its own.
constexpr char k_work_prefix[] = "build-";
// What a file takes on a disk beyond its bytes: half a block on average.
constexpr std::uint64_t k_file_overhead = 2048;

bool is_sealed(const struct stat& status) {
  return S_ISDIR(status.st_mode) && (status.st_mode & contract::k_sealed_bit) != 0;
}

Clock::time_point time_of(const struct stat& status) {
  const timespec& used = is_sealed(status) ? status.st_ctim : status.st_mtim;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec)));
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

class Inventory {
 public:
  explicit Inventory(const fs::path& cache) {
    for (const auto& folder : list_folder(cache)) add_bundles(folder);
    share_files();
    for (const auto& file : list_folder(cache / "python" / "bytecode"))
      add(EntryKind::bytecode, file, file, size_of(file), {});
    for (const auto& tree : list_folder(cache / contract::k_cache_environments)) {
      const auto known = m_unpacked.find(tree.filename().string());
      add(EntryKind::environment, tree, tree, known == m_unpacked.end() ? measure_tree(tree) : known->second,
          {});
    }
  }

  std::vector<Entry> take() { return std::move(m_entries); }

 private:
  // Those of one language.
  void add_bundles(const fs::path& folder) {
    for (const auto& entry : list_folder(folder / k_bundles)) {
      // A bundle's record tells the size of its environment, which saves looking at each of its files.
      const auto text = base::read_file(entry / contract::k_record);
      const auto record = text ? contract::parse_build_record(*text, "") : base::fail(text.error());
      if (record) {
        for (const auto& bundle : record->bundles) m_unpacked[bundle.digest] = environment_bytes(bundle);
      }
      add(EntryKind::bundle, entry, stamp_of_bundle(entry), 0, folder / "locks" / entry.filename());
      for (const auto& file : list_folder(entry)) add_file(file);
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

  // `stamp` has the time of the last use.
  void add(EntryKind kind, const fs::path& path, const fs::path& stamp, std::uint64_t bytes, fs::path lock) {
    m_entries.push_back({kind, path, bytes, last_use(stamp), std::move(lock)});
  }

  static std::uint64_t size_of(const fs::path& file) {
    struct stat status{};
    return ::lstat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

  struct File {
    std::uint64_t bytes = 0;
    std::vector<std::size_t> entries;  // that have it
  };

  std::map<std::string, std::uint64_t> m_unpacked;  // by digest
  std::map<std::pair<dev_t, ino_t>, File> m_files;
  std::vector<Entry> m_entries;
};

}  // namespace

bool goes_before(const Entry& a, const Entry& b) {
  return std::tie(a.used, a.path) < std::tie(b.used, b.path);
}

std::vector<Entry> list_entries(const fs::path& cache) { return Inventory(cache).take(); }

std::vector<fs::path> list_folder(const fs::path& folder) {
  std::vector<fs::path> paths;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') paths.push_back(entry->path());
  }
  return paths;
}

Clock::time_point last_use(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? time_of(status) : Clock::time_point();
}

void mark_used(const fs::path& path) {
  // An environment that worker-shim has sealed has the seal as its modification time: what may change is the
  // time of the last change of the inode.
  struct stat status{};
  const bool sealed = ::stat(path.c_str(), &status) == 0 && is_sealed(status);
  const timespec times[] = {{0, UTIME_NOW}, {0, sealed ? UTIME_OMIT : UTIME_NOW}};
  static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), times, 0));
}

std::uint64_t environment_bytes(const contract::Bundle& bundle) {
  return bundle.unpacked_bytes + bundle.files * k_file_overhead;
}

fs::path stamp_of_bundle(const fs::path& entry) { return entry / k_seal; }

base::Result<base::FileLock> lock_for_build(const fs::path& cache) {
  return base::FileLock::acquire(cache / k_lock, base::FileLock::Mode::shared);
}

base::Result<base::FileLock> try_lock_alone(const fs::path& cache) {
  return base::FileLock::try_acquire(cache / k_lock);
}

fs::path work_folder(const fs::path& cache) { return cache / "work"; }

base::Result<base::Workspace> make_workspace(const fs::path& cache) {
  return base::Workspace::make(work_folder(cache), k_work_prefix);
}

fs::path place_aside(const fs::path& cache, const std::string& name) {
  return base::Workspace::place_aside(work_folder(cache), k_work_prefix, name);
}

}  // namespace caches
