// SPDX-License-Identifier: Apache-2.0
// A private copy of a source, for tools that write into the folder that they build.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace builder {

// Files and folders below `from`, links followed that stay in it; version control's own folders stay behind.
// Times and owners are not kept, and everything can be written. `to` must not exist.
base::Status copy_source(const base::fs::path& from, const base::fs::path& to);

}  // namespace builder
