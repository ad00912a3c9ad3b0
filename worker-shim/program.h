// SPDX-License-Identifier: Apache-2.0
// The shim as one reading: arguments → environment → exec.
#pragma once

namespace shim {

// What main() does. Returns only when nothing was executed: the exit code.
int run_program(int argc, char** argv);

}  // namespace shim
