// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/file_digests.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/unique_fd.h"

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
    BASE_TRY_ASSIGN(entry.digest, read(path));
  }
  if (entry.changed_ns + std::chrono::nanoseconds(k_settled).count() < now_ns()) m_entries[path] = entry;
  return entry.digest;
}

base::Result<std::string> FileDigests::read(const std::string& path) const {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return base::fail(base::system_error("read", path, errno));
  base::Sha256 digest;
  std::vector<char> buffer(std::size_t{256} * 1024);
  while (true) {
    if (m_stop()) return base::fail(base::ErrorKind::step_failed, "", "interrupted");
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", path, errno));
    if (count == 0) return digest.finish();
    digest.update({buffer.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace local
