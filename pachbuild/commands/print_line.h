// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace commands {

// Prints a line on standard output. What comes from files and programs cannot steer a terminal by it.
void print_line(const std::string& line);

}  // namespace commands
