// SPDX-License-Identifier: Apache-2.0
// What `worker-shim --check` prints: what would be run, from where, and whether it fits this machine and
// image. Reads build.json, which nothing on the path of a datum does, and starts nothing.
#pragma once

#include <string>

#include "worker-shim/args.h"

namespace shim {

struct Report {
  std::string text;   // a line for each finding
  int exit_code = 0;  // what running would end with at the first finding that does not fit; 0 when all does
};

Report check(const Invocation& invocation);

}  // namespace shim
