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

// Sets variables: "NAME=VALUE" where it is not set, "+NAME=VALUE" in front of what it is, and a zero byte for
// each. contract::k_environment_mark in a value is `folder`, where that is not empty. Whether the text is of
// this form.
bool apply_variables(std::string_view text, const std::string& folder);

// `text` with `folder` in place of each contract::k_environment_mark.
std::string with_environment(std::string_view text, const std::string& folder);

// Puts an unpacked environment before the program: its bin/ first on PATH, its folder in PACHBUILD_ENV, the
// variables that it has for programs, and no PYTHONHOME where it is one of Python.
void enter_environment(const std::string& folder);

struct ExecFailure {
  int exit_code;  // 126 or 127, as a shell has them
  base::Error error;
};

// Executes `words` (with a null at the end) in this process; a name without '/' is looked up in PATH, as
// execvp does it. Returns only when that failed.
ExecFailure execute(char* const* words);

}  // namespace shim
