// SPDX-License-Identifier: Apache-2.0
// Keeps a preloaded interpreter (interpreter.py) for the programs of a container. It starts the interpreter
// when the first program asks, again when that was killed, and passes the requests on. It is the process that
// becomes the parent of the programs should the interpreter go away before them, so no exit code is lost. It
// ends when nobody has asked for a while, when its socket or the environment is gone, or when memory gets
// scarce.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace shim::preload {

struct Keeping {
  base::UniqueFd listener;
  base::UniqueFd folder;  // of the socket
  base::UniqueFd lock;    // held as long as the keeper lives
  std::string socket;     // its name in the folder
  std::string hook;       // the folder of interpreter.py, under the name sitecustomize.py
  std::string environment;
  std::string modules;
  std::string context;  // a digest of the only context that it starts programs for
};

// Starts the keeper as a process that is not a child of this one. Returns whether it was started.
bool start_keeper(Keeping keeping);

}  // namespace shim::preload
