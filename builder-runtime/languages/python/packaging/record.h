// SPDX-License-Identifier: Apache-2.0
// RECORD of an installed package (packaging.python.org, "Recording installed projects"): which files it has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace builder::python {

// The paths that the text names, as they are in it: relative to site-packages, with "/".
std::vector<std::string> paths_of_record(std::string_view text);

}  // namespace builder::python
