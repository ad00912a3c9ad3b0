// SPDX-License-Identifier: Apache-2.0
// Which files git has in its index: to git they belong to the project, whatever .gitignore names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace revision {

// The top folder of the repository that a folder is in; nothing where it is in none. `source` is absolute.
std::optional<base::fs::path> repository_top(const base::fs::path& source);

// The paths below the top of the repository that `source` is in, sorted byte by byte; none where there is no
// index, or it cannot be read.
std::vector<std::string> tracked_files(const base::fs::path& source);

// Those in the text of an index, and the name of the index that it is based on ("sharedindex.…"), if it is.
struct Index {
  std::vector<std::string> paths;
  std::string base;
};
// Of the versions 2 to 4. Nothing for what is none. `hash_size`: 20 bytes, or 32 in a SHA-256 repository.
std::optional<Index> parse_index(std::string_view text, std::size_t hash_size);

}  // namespace revision
