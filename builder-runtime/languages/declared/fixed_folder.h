// SPDX-License-Identifier: Apache-2.0
// A folder whose path depends on what is made in it and on nothing else: for tools that write their folder's
// path into what they make. It is the same for every user, machine and cache.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace builder::declared {

class FixedFolder {
 public:
  // "/tmp/pachbuild-" and the first digits of `key`, empty. Waits while another build has it. `parent`:
  // instead of /tmp.
  static base::Result<FixedFolder> make(const std::string& key, const base::fs::path& parent = "/tmp");

  FixedFolder(FixedFolder&& other) noexcept;
  FixedFolder& operator=(FixedFolder&&) = delete;
  FixedFolder(const FixedFolder&) = delete;
  FixedFolder& operator=(const FixedFolder&) = delete;
  ~FixedFolder();

  [[nodiscard]] const base::fs::path& path() const { return m_path; }

 private:
  FixedFolder(base::fs::path path, base::UniqueFd lock) : m_path(std::move(path)), m_lock(std::move(lock)) {}

  base::fs::path m_path;
  base::UniqueFd m_lock;
};

}  // namespace builder::declared
