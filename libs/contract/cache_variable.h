// SPDX-License-Identifier: Apache-2.0
// What all programs check of the cache folder that somebody has named, before they go there.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/result.h"
#include "contract/environment.h"

namespace contract {

// That `folder`, the value of PACHBUILD_CACHE_DIR, is one where it is there at all.
inline base::Status check_cache_variable(const std::string& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) return {};
  return base::fail(base::ErrorKind::cannot_write, k_cache_variable, folder + " is not a folder");
}

}  // namespace contract
