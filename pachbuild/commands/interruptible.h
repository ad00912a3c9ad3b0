// SPDX-License-Identifier: Apache-2.0
// Verbs that look now and then whether they are to stop.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "process/interruption.h"

namespace commands {

// Runs `work` and watches for Ctrl-C and the like. If one of them ended it, prints `said` and gives the exit
// code of that signal.
base::Result<int> until_interrupted(const std::function<base::Result<int>(process::Interruption&)>& work,
                                    const std::string& said = "interrupted");

}  // namespace commands
