// SPDX-License-Identifier: Apache-2.0
// Which line of a log says why a build failed.
#pragma once

#include <string>
#include <string_view>

namespace conformance {

// The first line that calls itself an error, as compilers and our own programs write it; else the last line.
// Without white space at its ends; empty for a log without lines.
std::string failure_line(std::string_view log);

}  // namespace conformance
