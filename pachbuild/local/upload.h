// SPDX-License-Identifier: Apache-2.0
// What PFS makes of the files that a program leaves in /pfs/out: links are followed, modes and empty folders
// are lost, and one name that it cannot hold fails the datum.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace local {

// Does the same to the folder `output`, in place. Call it where the program's links mean what they meant to
// the program.
base::Status make_uploadable(const base::fs::path& output);

// Whether PFS can hold a file of this path: printable ASCII without * ? [ ] { } ! ( ) @ + ^.
bool is_valid_in_pfs(std::string_view path);

}  // namespace local
