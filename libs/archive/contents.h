// SPDX-License-Identifier: Apache-2.0
// What is in a bundle, without unpacking it.
#pragma once

#include <map>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace archives {

// A digest of each entry by its path: of its kind, its mode, where it leads and its content. A file that is
// not a bundle is an error of kind bad_input.
base::Result<std::map<std::string, std::string>> bundle_digests(const base::fs::path& bundle);

}  // namespace archives
