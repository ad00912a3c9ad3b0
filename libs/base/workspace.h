// SPDX-License-Identifier: Apache-2.0
// A folder to work in that goes with its owner, and, when the owner was killed, with the next one's coming.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace base {

class Workspace {
 public:
  // A new folder `parent`/`prefix`XXXXXX. Those of the same prefix whose owners are gone are removed first.
  static Result<Workspace> make(const fs::path& parent, const std::string& prefix);

  [[nodiscard]] const fs::path& path() const { return m_folder.path(); }

  // Whether the folder is a workspace of any prefix, or what is left of one.
  static bool is_one(const fs::path& folder);
  // The workspaces of any prefix in `parent` whose owners are gone, in no order; none where it is missing.
  static Result<std::vector<fs::path>> orphans(const fs::path& parent);
  // The same under names by which nobody takes them for workspaces: the caller removes them.
  static Result<std::vector<fs::path>> set_orphans_aside(const fs::path& parent);

  // A name in `parent` for something that is about to be removed: should that not come about, whoever makes
  // the next workspace of the prefix does it. `name` tells it from others.
  static fs::path place_aside(const fs::path& parent, const std::string& prefix, const std::string& name);

 private:
  Workspace(FileLock lock, TemporaryFolder folder) : m_lock(std::move(lock)), m_folder(std::move(folder)) {}
  // Of a file in the folder, held as long as the folder is in use; released after the folder is gone.
  FileLock m_lock;
  TemporaryFolder m_folder;
};

}  // namespace base
