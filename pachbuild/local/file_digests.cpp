// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/file_digests.h"

#include <chrono>

#include "base/digest.h"

namespace local {
namespace {

// More than the granularity of file times on any file system (2 s on FAT).
constexpr std::chrono::seconds k_settled{2};

std::int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

bool same(const FileDigests::Entry& a, const FileDigests::Entry& b) {
  return a.size == b.size && a.inode == b.inode && a.modified_ns == b.modified_ns &&
         a.changed_ns == b.changed_ns;
}

}  // namespace

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

base::Result<std::string> FileDigests::digest(const std::string& path, const struct stat& status) {
  Entry entry{static_cast<std::uint64_t>(status.st_size), status.st_ino, nanoseconds(status.st_mtim),
              nanoseconds(status.st_ctim), ""};
  const auto known = m_known.find(path);
  if (known != m_known.end() && same(known->second, entry)) {
    entry.digest = known->second.digest;
  } else {
    BASE_TRY_ASSIGN(entry.digest, base::sha256_of_file(path));
  }
  if (entry.changed_ns + std::chrono::nanoseconds(k_settled).count() < now_ns()) m_entries[path] = entry;
  return entry.digest;
}

}  // namespace local
