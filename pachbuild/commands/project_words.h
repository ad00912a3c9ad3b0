// SPDX-License-Identifier: Apache-2.0
// How verbs that make a folder of files speak about it.
#pragma once

#include <string>
#include <vector>

#include "pachbuild/starter/project.h"

namespace commands {

// What is in the folder, such as "  data/          sample data (3 files)".
std::vector<std::string> lines_of(const starter::Project& project);

// The folder as an argument: a name like "-x" is not read as an option.
std::string as_argument(const std::string& folder);

}  // namespace commands
