// SPDX-License-Identifier: Apache-2.0
// What tells two artifacts of one source apart.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace conformance {

// The paths of the files that are not in both folders with the same bytes, sorted. A bundle, whose name is
// its digest, counts by what is in it: "bundle/bin/main".
base::Result<std::vector<std::string>> differing_files(const base::fs::path& one,
                                                       const base::fs::path& other);

// "a, b, c and 2 others"; the first few of many.
std::string few_of(const std::vector<std::string>& names);

}  // namespace conformance
