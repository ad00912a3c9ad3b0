// SPDX-License-Identifier: Apache-2.0
// The files of which `pachbuild init` makes a project, kept beside this one as what they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace starter {

struct StarterFile {
  std::string_view name;  // "python/main.py"
  std::string_view content;
};

const std::vector<StarterFile>& starter_files();

}  // namespace starter
