// SPDX-License-Identifier: Apache-2.0
// The shim's own command line. Its options come first; from the first word that is none, or from `--`, every
// word belongs to the user and is passed on untouched. (CLI11 would cost a hundred times the start of this
// program, and its rules for what follows a positional argument are not these.)
#pragma once

#include <string>

#include "base/result.h"
#include "contract/layout.h"
#include "worker-shim/supervise.h"

namespace shim {

enum class Mode {
  run_script,  // sh /pfs/build/run.sh WORDS…
  command,     // WORDS in the artifact's environment
  install,
  help,
  version,
};

struct Invocation {
  Mode mode = Mode::run_script;
  bool check = false;  // tell what would be run instead
  Supervision supervision;
  std::string build_folder = contract::k_build;
  std::string environment;  // the digest of the bundle; empty: look for it in the build folder
  std::string imports;      // the modules that a Python program imports, separated by commas
  unsigned expanded = 0;    // so many words of the command name the environment's folder by a mark
  std::string install_folder;
  std::string working_folder;    // of the program; empty: the one that we were started in
  char* const* words = nullptr;  // into argv, with its null at the end
};

// `argv` must outlive the result. Errors are of kind usage.
base::Result<Invocation> parse_arguments(int argc, char* const* argv);

std::string help_text();

}  // namespace shim
