// SPDX-License-Identifier: Apache-2.0
// Reads a tar and makes its files below one folder, whatever the tar says. libarchive reads the format; its
// own extraction is not used, since it restores owners, times and setuid bits and makes one file after the
// other.
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
  std::optional<WriteFailure> write_failure;  // the disk's
  base::Status content;                       // the tar's, or that of `read`
};

// `root` is an open, empty folder, `archive` the name for errors. Files get the mode 0644 or 0755 and folders
// 0755, less the umask; files get the time k_file_time.
Extraction extract_tar(const ReadBytes& read, int root, const std::string& archive,
                       const MakeRoom& make_room = {});

// The path of an entry below the folder: no empty or "." parts ("" is the folder itself). An absolute path,
// one with ".." and one that is too long are errors, which say what the name does.
tl::expected<std::string, const char*> entry_path(std::string_view name);

}  // namespace shim
