// SPDX-License-Identifier: Apache-2.0
// A copy of files of the source for tools that write beside them. It is kept: what did not change since keeps
// its time, and what changed gets the time of now, whatever time the source's file has. Tools that go by
// times, as cargo and make do, then see each edit, and nothing else.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/declared/source_files.h"

namespace builder::declared {

class WorkCopy {
 public:
  // The copy in `folder`, which is made where it is not there. One build at a time has it.
  static base::Result<WorkCopy> open(const fs::path& folder);

  // Makes it a copy of these files. What is neither one of them nor was one stays.
  base::Status bring_up_to_date(const SourceFiles& files, const std::vector<SourceFile>& chosen);

  [[nodiscard]] const fs::path& path() const { return m_folder; }

 private:
  WorkCopy(fs::path folder, base::FileLock lock) : m_folder(std::move(folder)), m_lock(std::move(lock)) {}
  [[nodiscard]] fs::path note() const { return m_folder.string() + ".files"; }

  fs::path m_folder;
  base::FileLock m_lock;
};

}  // namespace builder::declared
