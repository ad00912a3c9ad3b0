// SPDX-License-Identifier: Apache-2.0
// The logs of what ran on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/data_options.h"

namespace commands {

struct LocalLogs {
  SpecFiles specs;
  std::string pipeline;
  std::vector<std::string> datums;
  bool failed = false;  // only of datums that failed
  bool follow = false;  // go on while a run does
};

// Prints them on standard output, with a line about each datum on standard error.
base::Result<int> print_local_logs(const LocalLogs& options);

}  // namespace commands
