// SPDX-License-Identifier: Apache-2.0
// How much of each datum a Python program spends on importing its packages: preloading would save it
// (docs/python.md, "Preloading"). It is timed once for the same packages, after datums that may be worth it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process/command.h"

namespace local {

struct TimedImports {
  std::vector<std::string> modules;
  std::vector<std::string> command;  // prints how long they take; for the artifact's environment
  std::string identity;              // the same one, the same time
};

// Of the artifact with this build.json; none where it has no imports, or `environment`, in which its datums
// run, or its source's settings say already whether they are preloaded.
std::optional<TimedImports> imports_of(const std::string& build_record,
                                       const process::Environment& environment);

// Whether datums that take so long, most of them, can be worth it.
bool may_gain_from_preloading(std::chrono::milliseconds datum);

// The hint, by what the command has printed; none where preloading would gain too little.
std::optional<std::string> preloading_hint(const TimedImports& imports, std::string_view printed,
                                           std::chrono::milliseconds datum);

}  // namespace local
