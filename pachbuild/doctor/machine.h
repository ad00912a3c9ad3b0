// SPDX-License-Identifier: Apache-2.0
// What is examined. Tests have one of their own.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"
#include "process/runner.h"

namespace doctor {

struct Machine {
  process::Environment environment;
  process::Runner* runner = nullptr;  // also of several threads at a time
  base::fs::path program;             // this one: pachbuild
  base::fs::path root = "/";          // below which the system's own files are
};

// How long a tool may take to say its version, and a check in all.
inline constexpr std::chrono::milliseconds k_tool_patience{5000};
inline constexpr std::chrono::milliseconds k_check_patience{20'000};

// Runs a tool in "/" to its end, at most so long.
base::Result<process::Finished> ask(const Machine& machine, std::vector<std::string> arguments,
                                    std::chrono::milliseconds patience = k_tool_patience);

// What it prints first, on standard output; an error that says why when it does not work.
base::Result<std::string> first_line(const Machine& machine, std::vector<std::string> arguments,
                                     std::chrono::milliseconds patience = k_tool_patience);

}  // namespace doctor
