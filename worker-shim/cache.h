// SPDX-License-Identifier: Apache-2.0
// Which cache folder to use, and whether it may be trusted: a program is started from what is in it, so it
// must hold nothing that another user could have put there. What "trusted" means is base/trusted_folder.h's;
// here it asks for
//
//   cache folder    that, with everything above it. It may have the sticky bit (/tmp itself)
//   its env/        the same without that exception, and no link: below a sticky folder a stranger could have
//   env/DIGEST      made an environment first
//   private folder  /tmp/pachbuild-UID: ours, mode 0700, no link
//
// Paths are given out, not descriptors, since the program and its PATH know the environment by its path. They
// stay what was looked at: no stranger can rename a part of the path of a trusted folder.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace shim {

struct CacheSettings {
  std::string chosen;          // PACHBUILD_CACHE_DIR; empty: the first of the next two that will do
  std::string image;           // /var/cache/pachbuild
  std::string private_folder;  // /tmp/pachbuild-UID
  uid_t user = 0;
};

// Of this process.
CacheSettings current_cache_settings();

// The folder of an unpacked environment; empty when no cache has it. A folder that somebody named and that
// cannot be trusted is an error; the image's is then passed over.
base::Result<std::string> find_environment(const CacheSettings& settings, const std::string& digest);

// The folder in which this user may make environments. Makes it where it is missing, with a mode less the
// umask.
base::Result<std::string> make_environments_folder(const CacheSettings& settings);

// Whether `environments`, as made above, has no environment of this digest that cannot be trusted.
base::Status check_environment_of_others(const std::string& environments, const std::string& digest,
                                         uid_t user);

}  // namespace shim
