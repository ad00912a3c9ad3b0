// SPDX-License-Identifier: Apache-2.0
// Which cache folder to use, and whether it may be trusted: a program is started from what is in it, so it
// must hold nothing that another user could have written. The rules:
//
//   cache folder    a folder of ours or of root's, writable by nobody else, unless it has the sticky bit (as
//                   /tmp), under which others cannot rename or remove what is ours
//   its env/        the same, and no link; here the sticky bit does not help, since a stranger could have
//   made
//                   an environment first
//   private folder  /tmp/pachbuild-UID: ours, mode 0700, no link
//
// "Nobody else" lets the owner's private group pass (gid = uid, as Debian and Fedora make it for each user),
// because their default umask 002 makes every folder writable by it. The folders above the cache folder are
// the word of whoever named it.
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

// The folder in which this user may make environments. Makes it where it is missing.
base::Result<std::string> make_environments_folder(const CacheSettings& settings);

}  // namespace shim
