// SPDX-License-Identifier: Apache-2.0
// A folder for one run of pachbuild, gone when the run is. One that a killed run left is removed by the next
// run in the same place.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace local {

class Scratch {
 public:
  // `parent`/.pachbuild-XXXXXX; parent must exist.
  static base::Result<Scratch> make(const base::fs::path& parent);

  [[nodiscard]] const base::fs::path& path() const { return m_folder.path(); }

 private:
  Scratch(base::TemporaryFolder folder, base::FileLock lock)
      : m_lock(std::move(lock)), m_folder(std::move(folder)) {}
  base::FileLock m_lock;  // of a file in the folder: held while the run lives
  base::TemporaryFolder m_folder;
};

}  // namespace local
