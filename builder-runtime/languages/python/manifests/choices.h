// SPDX-License-Identifier: Apache-2.0
// The groups and extras that a manifest has, of which the settings choose some.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/python/manifests/manifest.h"

namespace builder::python {

// Whether python.groups and python.extras name what pyproject.toml has. Of others their own readers know.
base::Status check_choices(const SourceSettings& settings, const Manifest& manifest);

// "pyproject.toml has no group dve | did you mean "dev"?": the error for a name that is not one of `known`.
base::Error no_such_choice(const std::string& where, const std::string& file, const std::string& kind,
                           const std::string& name, const std::vector<std::string>& known);

// Whether a table of a Pipfile or its lock lists optional packages.
bool is_category(std::string_view table);

}  // namespace builder::python
