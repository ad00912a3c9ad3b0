// SPDX-License-Identifier: Apache-2.0
// The command line of pachbuild as a whole: what comes before and around the verbs.
#pragma once

namespace commands {

// Reads the arguments, does what they say, and gives the exit code.
int run_program(int argc, char** argv);

}  // namespace commands
