// SPDX-License-Identifier: Apache-2.0
// Usage: pfs_hash FILE
//
// Prints the hash that PFS gives the file: Python would take seconds to find where a large one is split.
#include <cstdio>

#include "pachbuild/pfs/file_hash.h"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const auto hash = pfs::file_hash(argv[1]);
  if (!hash) {
    (void)std::fprintf(stderr, "%s\n", hash.error().what.c_str());
    return 74;
  }
  return std::puts(hash->c_str()) < 0 ? 74 : 0;
}
