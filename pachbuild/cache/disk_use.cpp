// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cache/disk_use.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/stop.h"

namespace cached {
namespace {

namespace fs = base::fs;

constexpr std::uint64_t k_block = 512;  // of st_blocks, whatever the disk's own are: stat(2)

}  // namespace

base::Status DiskUse::add(const fs::path& path) {
  add_entry(path);
  boost::system::error_code error;
  if (!fs::is_directory(fs::symlink_status(path, error))) return {};
  fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    BASE_TRY(base::check_stop());
    add_entry(entry->path());
  }
  return {};
}

void DiskUse::add_entry(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  const auto bytes = static_cast<std::uint64_t>(status.st_blocks) * k_block;
  m_changed = std::max(m_changed, std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec));
  if (S_ISDIR(status.st_mode)) {
    m_folder_bytes += bytes;
    return;
  }
  auto& file =
      m_files.try_emplace({status.st_dev, status.st_ino}, File{bytes, status.st_nlink}).first->second;
  --file.names_left;
}

std::uint64_t DiskUse::bytes() const {
  std::uint64_t all = m_folder_bytes;
  for (const auto& [identity, file] : m_files) all += file.bytes;
  return all;
}

std::uint64_t DiskUse::bytes_freed() const {
  std::uint64_t all = m_folder_bytes;
  for (const auto& [identity, file] : m_files) {
    if (file.names_left == 0) all += file.bytes;
  }
  return all;
}

}  // namespace cached
