// SPDX-License-Identifier: Apache-2.0
// Where the programs look for the tools that they call.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"

namespace process {

// The absolute path of a tool that may be installed together with our programs, as uv is in a virtual
// environment whose bin folder is not on PATH: where `search_path` (PATH) has none, the folder `own` of our
// programs is looked in. PATH comes first, since it is what a person chooses by.
std::optional<std::string> find_tool(const std::string& name, const std::string& search_path,
                                     const base::fs::path& own);

}  // namespace process
