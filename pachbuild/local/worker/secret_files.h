// SPDX-License-Identifier: Apache-2.0
// Shows a task its secrets as files, as Kubernetes does: in memory, a link for each key to the file that has
// its value.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace local {

// The values by keys, by the folder that shows them.
using SecretFolders = std::map<std::string, std::map<std::string, std::string>>;

enum class SecretMounts {
  ours,      // this process mounts the folders
  prepared,  // a container's engine has: they are empty folders in memory
};

// Of a worker whose view of the machine is its own.
base::Status show_secrets(const SecretFolders& folders, SecretMounts mounts);

}  // namespace local
