// SPDX-License-Identifier: Apache-2.0
// Which variables the commands of a declared builder see: locations, credentials, settings of the network,
// what the pipeline's spec sets, and what the builder names.
#pragma once

#include <string>
#include <vector>

#include "builder-runtime/tools.h"
#include "process/command.h"

namespace builder::declared {

// `declared`: names, or beginnings of names with a '*'.
process::Environment command_environment(const std::vector<std::string>& declared, const Tools& tools);

}  // namespace builder::declared
