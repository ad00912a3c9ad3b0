// SPDX-License-Identifier: Apache-2.0
// How a Python that starts comes to interpreter.py: by a `sitecustomize` in a folder on PYTHONPATH
// (https://docs.python.org/3/library/site.html).
#pragma once

#include "base/unique_fd.h"

namespace shim::preload {

// What the hook and interpreter.py find set: the descriptors of the socket to the keeper and of
// interpreter_text(), the modules to import, those to leave out, and the hook's folder, each on a line.
inline constexpr char k_hook_variable[] = "PACHBUILD_PRELOADED";

// The name of the hook's folder, in the folder of sockets.
inline constexpr char k_hook[] = "hook";

// Makes the folder and its one file where they are missing, damaged or of another version. Returns whether
// they are there.
bool make_hook(int folder);

// A folder of this user's alone, in another one; made if it is missing. None: there is something else.
base::UniqueFd make_own_folder(int parent, const char* name);

// A file in memory with interpreter.py, which a child inherits.
base::UniqueFd interpreter_text();

}  // namespace shim::preload
