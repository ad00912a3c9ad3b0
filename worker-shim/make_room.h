// SPDX-License-Identifier: Apache-2.0
// Old environments go when the disk is full. Which are in use is read from /proc: a program has its
// environment's folder in the variable PACHBUILD_ENV, and files of it mapped. Where /proc cannot be read, all
// are in use.
#pragma once

#include <ctime>
#include <string>

namespace shim {

// Removes the environment that was used longest ago, if one was not used within the last two hours and no
// process that we may look at uses it. False when there is none.
bool remove_oldest_environment(const std::string& environments, time_t now = std::time(nullptr));

}  // namespace shim
