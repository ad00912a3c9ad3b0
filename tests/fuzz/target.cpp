// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.h"

#include <fcntl.h>

#include <boost/filesystem/operations.hpp>

namespace fuzz {

// Not base::write_file(), which renames: half of the time of a target would go there.
void Folder::write(const std::string& name, std::string_view content) const {
  const base::fs::path file = path() / name;
  base::UniqueFd opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!opened) {
    base::fs::create_directories(file.parent_path());
    opened.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  }
  require(base::write_all(opened.get(), content, file).has_value());
}

void Folder::clear() const {
  for (base::fs::directory_iterator entry(path()), end; entry != end; ++entry)
    require(base::remove_tree(entry->path()).has_value());
}

}  // namespace fuzz
