// SPDX-License-Identifier: Apache-2.0
// The compilers of the machine as inputs: what a build may compile with depends on them.
#pragma once

#include <string>
#include <vector>

#include "builder-runtime/inputs.h"
#include "builder-runtime/tools.h"

namespace builder {

// Adds what these programs say they are: those that the variables of `environment` name ("CC=ccache gcc
// -m64") and those of `names`; then the .pc files in the folders of PKG_CONFIG_PATH and PKG_CONFIG_LIBDIR by
// content.
base::Status add_compilers(const std::vector<std::string>& variables, const std::vector<std::string>& names,
                           const process::Environment& environment, const Tools& tools, Inputs& inputs);

}  // namespace builder
