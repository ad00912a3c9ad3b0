// SPDX-License-Identifier: Apache-2.0
// A folder for passwords and tokens that a tool insists on reading from files. It is in memory where the
// machine has a file system for that, only this user can look into it, and it is gone however this process
// ends.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "base/workspace.h"

namespace process {

class SecretFolder {
 public:
  // Below $XDG_RUNTIME_DIR or /dev/shm; below `scratch` on a machine that has neither in memory. Only for a
  // process that has no other thread at this time.
  static base::Result<SecretFolder> make(const base::fs::path& scratch);

  SecretFolder(SecretFolder&& other) noexcept;
  SecretFolder& operator=(SecretFolder&&) = delete;
  ~SecretFolder();

  [[nodiscard]] const base::fs::path& path() const { return m_folder.path(); }

 private:
  SecretFolder(base::Workspace folder, base::UniqueFd alive, pid_t guard)
      : m_folder(std::move(folder)), m_alive(std::move(alive)), m_guard(guard) {}

  base::Workspace m_folder;
  base::UniqueFd m_alive;  // a pipe that ends with this process, by kill -9 as well
  pid_t m_guard;           // waits for that end and removes the folder
};

}  // namespace process
