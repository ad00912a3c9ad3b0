// SPDX-License-Identifier: Apache-2.0
// The text of run.sh, the only file that a datum reads once its container has the environment, and what does
// the same for a command of the pipeline's own.
#pragma once

#include <string>

#include "builder-runtime/languages/language.h"

namespace builder {

struct RunScript {
  std::string builder;
  std::string version;
  std::string bundle_digest;  // empty: no bundle
  std::string shim_digest;
  Start start;
};

// A POSIX sh script that needs no other program where the image has the shim.
std::string run_script_text(const RunScript& script);

// The same for a command that is given to it, in whatever folder it is started: run with the command as
// arguments, or read (".") by a shell that has the command as its own. Empty where it would do nothing.
std::string environment_script_text(const RunScript& script);

// What contract::k_environment_variables has; empty where there are none.
std::string environment_variables_text(const Start& start);

}  // namespace builder
