// SPDX-License-Identifier: Apache-2.0
// A name from a source, a manifest or a package is not trusted: this is the one place that joins it to a
// folder.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace base {

// Whether `name`, read from some folder, stays in it by its own words: neither absolute nor climbing out, at
// no part of it. Links are not looked at.
bool stays_inside(const fs::path& name);

// `folder`/`name`, provided that it stays in `folder` by its words and wherever links on the way lead, if it
// is there. Otherwise an error of kind bad_input about `where`, whose fault is that `name` "is outside the
// source".
Result<fs::path> path_inside(const fs::path& folder, const std::string& name, const std::string& where);

// Where a link leads, if that is outside `folder`, a path without links; empty when it stays inside or leads
// nowhere.
fs::path target_outside(const fs::path& folder, const fs::path& link);

}  // namespace base
