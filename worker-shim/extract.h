// SPDX-License-Identifier: Apache-2.0
// Makes the files of a tar below one folder and nowhere else, whatever the tar says. libarchive reads the
// format; its own extraction is not used, since it follows the umask, restores owners, times and setuid bits,
// and makes one file at a time.
//
// Why nothing can leave the folder: every name is checked (entry_path), and links are made last. While files
// are written there is no symbolic link below the folder that could lead one out of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "worker-shim/file_writers.h"

namespace shim {

// The next bytes of the tar, valid until the next call; none at its end.
using ReadBytes = std::function<base::Result<std::string_view>()>;

struct Extraction {
  std::uint64_t bytes = 0;  // that the tar needs on a disk; counted to its end even when writing failed
  std::uint64_t files = 0;
  std::optional<WriteFailure> write_failure;
  base::Status content;  // what is wrong with the tar itself
};

// `root` is an empty folder of ours, `archive` the name for errors. The caller sets the umask.
Extraction extract_tar(const ReadBytes& read, int root, const std::string& archive);

// The path of an entry below the folder: no empty or "." parts ("" is the folder itself). An absolute path,
// one with ".." and one that is too long are errors, which say what the path does.
tl::expected<std::string, const char*> entry_path(std::string_view name);

}  // namespace shim
