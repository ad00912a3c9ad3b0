// SPDX-License-Identifier: Apache-2.0
// Where the parts of a git repository are. Private to this library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"

namespace revision {

inline constexpr std::uint64_t k_largest_index = std::uint64_t{256} << 20;

struct Repository {
  base::fs::path top;     // with the files
  base::fs::path own;     // HEAD and the index
  base::fs::path common;  // objects and refs
};

// The first line of a file; nothing when it cannot be read.
std::optional<std::string> read_line(const base::fs::path& file);

// The repository of the folder or of the nearest one above it, as git finds it; .git may be a file that names
// another folder (worktrees, submodules).
std::optional<Repository> find_repository(const base::fs::path& source);

}  // namespace revision
