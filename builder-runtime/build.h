// SPDX-License-Identifier: Apache-2.0
// One build, from the source folder to the artifact.
#pragma once

#include <string>

#include "base/result.h"
#include "builder-runtime/settings.h"
#include "process/runner.h"

namespace builder {

// What decides the bundle of a source, a line each (Inputs::lines); nothing is built.
base::Result<std::string> describe_inputs(const Settings& settings, process::Runner& runner);

base::Status build(const Settings& settings, process::Runner& runner);

}  // namespace builder
