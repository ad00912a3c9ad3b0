// SPDX-License-Identifier: Apache-2.0
// One build, from the source folder to the artifact.
#pragma once

#include <string>

#include "base/result.h"
#include "builder-runtime/settings.h"
#include "process/runner.h"

namespace builder {

// The inputs of a source's build, one per line (Inputs::lines). Builds nothing.
base::Result<std::string> describe_inputs(const Settings& settings, process::Runner& runner);

// What a build would do, as JSON, of a source with a declared builder. Builds nothing.
base::Result<std::string> explain(const Settings& settings, process::Runner& runner);

// The parts of a source that determine its artifact, as JSON. Two states of a source with the same text have
// the same artifact. {"all": true}: any file may affect it. Builds nothing, and does not depend on this
// machine.
base::Result<std::string> source_inputs(const Settings& settings, process::Runner& runner);

base::Status build(const Settings& settings, process::Runner& runner);

}  // namespace builder
