// SPDX-License-Identifier: Apache-2.0
// What a program answers to --version. Everything else that a version goes into (keys of caches, artifacts,
// pipelines on a cluster) has PACHBUILD_VERSION alone, so that a commit changes none of it.
#pragma once

#include <string>

namespace about {

// "pachbuild 0.1.0 (2853b22 2026-11-26)": with the commit where the program was built from a Git checkout,
// and a '+' after it where the code had been changed since.
std::string version_line(const std::string& program);

}  // namespace about
