// SPDX-License-Identifier: Apache-2.0
// Makes a bundle: a folder as one .tar.zst file whose bytes depend on nothing but the folder's content. The
// tar is a pax one with its entries sorted by name; owners are 0, times are the epoch, modes are 0755 for
// folders and executable files and 0644 for the others.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.h"
#include "base/result.h"

// Not "archive", which libarchive has taken.
namespace archives {

struct BundleSummary {
  std::string digest;                // of the bundle's bytes
  std::uint64_t bytes = 0;           // of the bundle
  std::uint64_t unpacked_bytes = 0;  // of all files' content
  std::uint64_t files = 0;           // regular files and links
};

// Gives every folder and file below `tree` the mode that it has in a bundle, so that the tree is what
// unpacking its bundle gives.
base::Status normalise_modes(const base::fs::path& tree);

// How much time compressing may take.
enum class Compression {
  usual,  // zstd's default, level 3
  fast,   // level 1: two thirds of the time for a size that is a tenth larger
};

// Writes all that is below `tree` to the new file `bundle`. Links are kept as links. Whatever is neither a
// folder, a regular file nor a link is an error.
base::Result<BundleSummary> write_bundle(const base::fs::path& tree, const base::fs::path& bundle,
                                         Compression compression = Compression::usual);

}  // namespace archives
