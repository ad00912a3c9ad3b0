// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/print_line.h"

#include <cstdio>

#include "base/errors.h"

namespace commands {

void print_line(const std::string& line) { std::puts(base::printable(line).c_str()); }

}  // namespace commands
