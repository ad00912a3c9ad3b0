// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace shim {

// Copies the running shim to FOLDER/worker-shim in one step, executable for all: for an init container that
// puts it on a shared volume.
base::Status install_into(const std::string& folder);

}  // namespace shim
