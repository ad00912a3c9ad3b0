// SPDX-License-Identifier: Apache-2.0
// The cache's folder for what is being made, and a folder in it for one piece of work.
#pragma once

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"

namespace builder {

// Where all workspaces are.
base::fs::path work_folder(const base::fs::path& cache);

// A new one, gone with its owner. What killed builds left goes now, whatever they were doing.
base::Result<base::Workspace> make_workspace(const base::fs::path& cache);

}  // namespace builder
