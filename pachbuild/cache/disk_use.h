// SPDX-License-Identifier: Apache-2.0
// What files take on the disk, and what is free again once they are gone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "base/files.h"
#include "base/result.h"

namespace cached {

class DiskUse {
 public:
  // Adds a file, or a folder with everything below it; links are not followed. What is gone meanwhile, and
  // what cannot be looked into, is left out. Fails only when the user has stopped the program.
  base::Status add(const base::fs::path& path);

  // Files without folders; one of several names counts once.
  [[nodiscard]] std::size_t files() const { return m_files.size(); }
  [[nodiscard]] std::uint64_t bytes() const;
  // Without the files that have another name beyond what was added.
  [[nodiscard]] std::uint64_t bytes_freed() const;
  // When a file or folder was changed last; the oldest time of all when there is none.
  [[nodiscard]] std::chrono::system_clock::time_point changed() const { return m_changed; }

 private:
  struct File {
    std::uint64_t bytes = 0;
    std::uint64_t names_left = 0;  // that have not been seen
  };
  void add_entry(const base::fs::path& path);

  std::map<std::pair<dev_t, ino_t>, File> m_files;
  std::uint64_t m_folder_bytes = 0;
  std::chrono::system_clock::time_point m_changed;
};

}  // namespace cached
