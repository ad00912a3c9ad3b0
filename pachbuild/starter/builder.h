// SPDX-License-Identifier: Apache-2.0
// New builders: a folder with a builder.toml, a probe, a Dockerfile, and what a CI system runs.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/starter/project.h"

namespace starter {

// For the language `name`. `model`: the folder of a declared builder, whose files the new one gets with its
// own name in builder.toml; empty: a small one for scripts of sh, with an explanation of each part.
base::Result<Project> builder_project(const std::string& name, const base::fs::path& model);

}  // namespace starter
