// SPDX-License-Identifier: Apache-2.0
// Starts uv, and says what went wrong when it fails.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/install/installation.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// Runs uv in `folder`. When it fails: an error that names `where`, of kind network when the index did not
// answer.
base::Status run_uv(const Installation& installation, const Tools& tools, const base::fs::path& folder,
                    const std::vector<std::string>& arguments, const std::string& where);

}  // namespace builder::python
