// SPDX-License-Identifier: Apache-2.0
// Starts a Python program in a process that is forked from an interpreter which has its packages imported.
// The first program of a container starts that interpreter (keeper.h); it stays for those that follow.
//
// The program runs in the process group of this process, which itself leaves the group: what is sent to the
// group reaches the program once, as it would if this process had become the program. Signals to this process
// are handed on, and it ends as the program ends.
#pragma once

#include <string>

namespace shim::preload {

struct Request {
  std::string environment;  // the folder of the unpacked environment; its cache folder has our sockets
  std::string modules;      // what is imported, separated by commas
  char* const* words;       // the command, with a null at the end
};

// Which modules PACHBUILD_PRELOAD asks for: `imports` (what the program's source imports), others, or none.
std::string modules_to_preload(const std::string& imports);

// Ends this process as the program has ended. Returns when the program has to be started the plain way; then
// nothing of it has run.
void run(const Request& request);

}  // namespace shim::preload
