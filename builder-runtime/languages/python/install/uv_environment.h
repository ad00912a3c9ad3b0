// SPDX-License-Identifier: Apache-2.0
// Which of the user's variables uv gets: what contradicts what we ask of uv is overruled, all others stay the
// user's.
#pragma once

#include "base/files.h"
#include "process/command.h"

namespace builder::python {

// `environment` is that of tools (variables.h); `cache` is where uv keeps its downloads when the user has no
// place for them.
process::Environment uv_environment(process::Environment environment, const base::fs::path& cache);

}  // namespace builder::python
