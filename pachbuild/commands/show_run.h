// SPDX-License-Identifier: Apache-2.0
// Runs a plan and shows how that goes, in the ways that were asked for.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/session/session.h"

namespace commands {

struct Shown {
  bool logs = false;     // what every datum prints
  bool explain = false;  // why something is done
  bool quiet = false;    // errors and failures only
  bool verbose = false;  // each datum too
  bool json = false;     // events on standard output
};

// The exit code, as run_session() gives it. The `others` listen as well.
base::Result<int> show_run(const local::Plan& plan, local::SessionOptions session, const Shown& shown,
                           const std::vector<std::reference_wrapper<local::Events>>& others);

}  // namespace commands
