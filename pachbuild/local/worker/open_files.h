// SPDX-License-Identifier: Apache-2.0
// Files in /pfs/out that a program still has open when it is done with a datum, but goes on.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace local {

// Puts a copy, as it is now, in the place of each file below `output` that somebody can still write to.
base::Status detach_open_files(const base::fs::path& output);

}  // namespace local
