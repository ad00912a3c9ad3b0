// SPDX-License-Identifier: Apache-2.0
// Chooses the cache folder and checks that it can be trusted: programs are started from it, so another user
// must not be able to put anything there. base/trusted_folder.h defines "trusted"; here it is required of
//
//   cache folder      with everything above it; it may have the sticky bit, as /tmp has
//   env/, env/DIGEST  never writable by others, and not a link: another user could have made them first
//   private folder    /tmp/pachbuild-UID, which must also be this user's, with mode 0700, and not a link
//
// The functions return paths, not descriptors, since the program and its PATH need the path. A checked path
// stays valid: no other user can rename a part of it.
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

// The folder of an unpacked environment; empty when no cache has it. A chosen folder that cannot be trusted
// is an error; the image's is skipped.
base::Result<std::string> find_environment(const CacheSettings& settings, const std::string& digest);

// The folder in which this user may make environments. Makes it if it is missing; the umask applies.
base::Result<std::string> make_environments_folder(const CacheSettings& settings);

// Fails if `environments`, as made above, has an environment of this digest that cannot be trusted.
base::Status check_environment_of_others(const std::string& environments, const std::string& digest,
                                         uid_t user);

}  // namespace shim
