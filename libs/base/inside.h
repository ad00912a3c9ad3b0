// SPDX-License-Identifier: Apache-2.0
// Joins an untrusted name from a source, a manifest or a package to a folder. All other code uses this.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace base {

// Whether `name` stays inside the folder that it is relative to: not absolute, and no part of it climbs out.
// Links are not checked.
bool stays_inside(const fs::path& name);

// `folder`/`name`, if both the name and the links on the way (where it exists) stay inside `folder`.
// Otherwise an error of kind bad_input at `where`: `name` "is outside the source".
Result<fs::path> path_inside(const fs::path& folder, const std::string& name, const std::string& where);

// `path` relative to `folder` ("." for the folder itself), if it is that or below it. Both as they are
// written.
std::optional<fs::path> path_below(const fs::path& path, const fs::path& folder);

// The target of a link, if it is outside `folder` (a path without links); empty when the target is inside or
// does not exist. A target that cannot be told is an error.
Result<fs::path> target_outside(const fs::path& folder, const fs::path& link);

}  // namespace base
