// SPDX-License-Identifier: Apache-2.0
// The log of a datum, which programs may have touched: read as a regular file of its own, or not at all.
#pragma once

#include <cstddef>
#include <string>

#include "base/unique_fd.h"

namespace commands {

// Without a container a program sees the logs of this machine, and may have put anything in the place of its
// own.
base::UniqueFd open_log(const std::string& path);

// The last part of a log, whole lines where it has some, and a mark where something is missing.
std::string end_of_log(const std::string& path, std::size_t most);

}  // namespace commands
