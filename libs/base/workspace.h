// SPDX-License-Identifier: Apache-2.0
// A folder to work in that goes with its owner, and, when the owner was killed, with the next one's coming.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace base {

class Workspace {
 public:
  // A new folder `parent`/`prefix`XXXXXX. Those of the same prefix whose owners are gone are removed first.
  static Result<Workspace> make(const fs::path& parent, const std::string& prefix);

  [[nodiscard]] const fs::path& path() const { return m_folder.path(); }

 private:
  Workspace(FileLock lock, TemporaryFolder folder) : m_lock(std::move(lock)), m_folder(std::move(folder)) {}
  // Of a file in the folder, held as long as the folder is in use; released after the folder is gone.
  FileLock m_lock;
  TemporaryFolder m_folder;
};

}  // namespace base
