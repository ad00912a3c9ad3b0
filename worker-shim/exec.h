// SPDX-License-Identifier: Apache-2.0
// Becomes the user's program. When that fails, says why as precisely as a person needs it; the kernel's
// "no such file" alone can mean a missing program, a missing interpreter or a missing loader.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace shim {

// PATH, or where it is not set what the C library takes for it.
std::string_view search_path();

// Puts an unpacked environment before the program: its bin/ first on PATH, its folder in PACHBUILD_ENV, and
// no PYTHONHOME where it is one of Python.
void enter_environment(const std::string& folder);

struct ExecFailure {
  int exit_code;  // 126 or 127, as a shell has them
  base::Error error;
};

// Executes `words` (with a null at the end) in this process; a name without '/' is looked up in PATH, as
// execvp does it. Returns only when that failed.
ExecFailure execute(char* const* words);

}  // namespace shim
