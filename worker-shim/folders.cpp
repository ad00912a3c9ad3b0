// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/folders.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace shim {
namespace {

int remove_visited(const char* path, const struct stat* /*status*/, int /*type*/, struct FTW* position) {
  if (position->level > 0) std::remove(path);
  return 0;
}

}  // namespace

void empty_folder(const std::string& path) {
  constexpr int k_open_folders = 32;
  ::nftw(path.c_str(), remove_visited, k_open_folders, FTW_DEPTH | FTW_PHYS);
}

void remove_folder(const std::string& path) {
  empty_folder(path);
  ::rmdir(path.c_str());
}

}  // namespace shim
