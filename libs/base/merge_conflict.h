// SPDX-License-Identifier: Apache-2.0
// Files that still have both sides of a merge in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// The error for a text in which git has marked a conflict, at the line of the first "<<<<<<<"; nothing for
// any other text. `name` is that of the file.
std::optional<Error> merge_conflict(std::string_view text, const std::string& name);

}  // namespace base
