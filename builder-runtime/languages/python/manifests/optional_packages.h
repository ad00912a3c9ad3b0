// SPDX-License-Identifier: Apache-2.0
// The packages that a manifest lists, but installs only when it is asked for them: groups and extras.
#pragma once

#include <map>
#include <string>

#include "base/files.h"
#include "builder-runtime/languages/python/manifests/manifest.h"

namespace builder::python {

// By the normalised name of the package, what installs it: "\"plot\" to python.groups".
std::map<std::string, std::string> optional_packages(const base::fs::path& source, const Manifest& manifest);

}  // namespace builder::python
