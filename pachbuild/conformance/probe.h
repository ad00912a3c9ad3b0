// SPDX-License-Identifier: Apache-2.0
// Changes a probe as a person would edit it: it then writes its arguments to a file of another name.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace conformance {

// The names of the file in /pfs/out, of the same length: tools that compare sizes see nothing.
inline constexpr char k_arguments_file[] = "arguments";
inline constexpr char k_edited_file[] = "rewritten";
inline constexpr char k_corrected_file[] = "corrected";

// "/pfs/out/NAME"
std::string path_of_result(const std::string& name);

// Puts "/pfs/out/NAME" into the place of each "/pfs/out/arguments" in the files below `folder`; whether there
// was one.
base::Result<bool> edit_probe(const base::fs::path& folder, const std::string& name);

}  // namespace conformance
