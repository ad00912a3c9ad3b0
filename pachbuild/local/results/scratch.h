// SPDX-License-Identifier: Apache-2.0
// A folder for one piece of work of a run.
#pragma once

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"

namespace local {

// A new one in the cache, gone with its owner. What killed runs left goes now, whatever they were doing.
base::Result<base::Workspace> make_scratch(const base::fs::path& cache);

}  // namespace local
