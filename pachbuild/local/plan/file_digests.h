// SPDX-License-Identifier: Apache-2.0
// Digests of files, remembered from run to run: a file whose size, times and inode are the same as when it
// was read is not read again.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/files.h"
#include "base/result.h"

namespace local {

// What tells a file from what it was before: whoever writes to it, or puts another one in its place, changes
// this.
struct FileIdentity {
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  static FileIdentity of(const struct stat& status);
  bool operator==(const FileIdentity&) const = default;
};

class FileDigests {
 public:
  struct Entry {
    FileIdentity identity;
    std::string digest;
  };
  using Entries = std::map<std::string, Entry>;  // by absolute path

  explicit FileDigests(Entries known) : m_known(std::move(known)) {}

  // A write after this has begun changes the file's identity.
  base::Result<std::string> digest(const std::string& path, const struct stat& status);

  // What to remember: the files of this run, but those that were written so recently that the next write
  // could carry the same time.
  [[nodiscard]] const Entries& entries() const { return m_entries; }

 private:
  Entries m_known;
  Entries m_entries;
};

// What to remember of files between runs, in a file; none, or one of another version, has nothing.
FileDigests::Entries load_digests(const base::fs::path& file);
base::Status save_digests(const FileDigests::Entries& entries, const base::fs::path& file);

// Nanoseconds since the epoch.
std::int64_t nanoseconds(const struct timespec& time);

}  // namespace local
