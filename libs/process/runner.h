// SPDX-License-Identifier: Apache-2.0
// Runs a tool to its end and keeps what it printed. An interface, so that tests can stand in for the tools.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "process/command.h"
#include "process/interruption.h"

namespace process {

struct Finished {
  Ending ending;
  std::string output;  // standard output, whole
  std::string errors;  // standard error, whole
};

// Gets the tool's standard error as it comes, in pieces of any size.
using ErrorSink = std::function<void(std::string_view)>;

class Runner {
 public:
  virtual ~Runner() = default;
  // Fails only when the program cannot be started or watched; how it ended is in the result.
  // The descriptors of `command` for output are ours and must not be set.
  virtual base::Result<Finished> run(const Command& command, const ErrorSink& sink) = 0;
};

// Starts real processes. With an interruption a signal ends the process that runs, and is an error; what is
// run after that (to clean up) goes on until the next signal.
class SystemRunner final : public Runner {
 public:
  explicit SystemRunner(Interruption* interruption = nullptr) : m_interruption(interruption) {}
  base::Result<Finished> run(const Command& command, const ErrorSink& sink) override;

 private:
  Interruption* m_interruption;
};

}  // namespace process
