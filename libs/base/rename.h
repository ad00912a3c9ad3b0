// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace base {

// Renames in one step unless something has the new name: then it fails with EEXIST. Like renameat(2), for
// names below folders that are open (or AT_FDCWD).
int rename_without_replacing(int from_folder, const std::string& from, int to_folder, const std::string& to);

}  // namespace base
