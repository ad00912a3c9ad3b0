// SPDX-License-Identifier: Apache-2.0
// Whether this image has the shared libraries of a program that was built in another.
#pragma once

#include <string>

#include "base/result.h"

namespace shim {

// Asks the program's own loader, which starts nothing of the program. What is no program with a loader of
// this image is not judged here: its exec says more.
base::Status check_libraries(const std::string& program);

}  // namespace shim
