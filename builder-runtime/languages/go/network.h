// SPDX-License-Identifier: Apache-2.0
// Whether the network is to blame when Go failed: its exit code is the same for everything.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/go/modules.h"
#include "builder-runtime/tools.h"

namespace builder::go {

// `failure`, or, when a module is missing here and the module proxy does not even answer for one that every
// proxy has, an error of kind network. `packages` are what Go was to look at, flags included; none: a module
// is missing for sure.
base::Error with_network_in_mind(base::Error failure, const BuildPlace& place, const Toolchain& toolchain,
                                 const std::vector<std::string>& packages, const Tools& tools);

}  // namespace builder::go
