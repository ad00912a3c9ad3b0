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

// What in a source decides its artifact, as JSON: where two states of a source have the same text, a build of
// the one serves the other as well. {"all": true}: every file may. Builds nothing; nothing of this machine is
// in it.
base::Result<std::string> source_inputs(const Settings& settings, process::Runner& runner);

base::Status build(const Settings& settings, process::Runner& runner);

}  // namespace builder
