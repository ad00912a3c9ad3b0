// SPDX-License-Identifier: Apache-2.0
// A folder to work in that goes with its owner, and, when the owner was killed, with the next one's coming.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace builder {

class Workspace {
 public:
  // A new folder below `parent`. Those whose owners are gone are removed.
  static base::Result<Workspace> make(const base::fs::path& parent);

  [[nodiscard]] const base::fs::path& path() const { return m_folder.path(); }

 private:
  Workspace(base::FileLock lock, base::TemporaryFolder folder)
      : m_lock(std::move(lock)), m_folder(std::move(folder)) {}
  // Held as long as the folder is in use; released after the folder is gone.
  base::FileLock m_lock;
  base::TemporaryFolder m_folder;
};

}  // namespace builder
