// SPDX-License-Identifier: Apache-2.0
// One build, from the source folder to the artifact.
#pragma once

#include "base/result.h"
#include "builder-runtime/settings.h"
#include "process/runner.h"

namespace builder {

base::Status build(const Settings& settings, process::Runner& runner);

}  // namespace builder
