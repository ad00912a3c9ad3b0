// SPDX-License-Identifier: Apache-2.0
// A command of a task while it runs: in a process group of its own, with what it prints on its way into the
// task's log.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/worker/execution.h"
#include "pachbuild/local/worker/log_pipe.h"
#include "process/child.h"

namespace local {

class RunningCommand {
 public:
  using Clock = std::chrono::steady_clock;

  struct Program {
    const std::vector<std::string>& arguments;
    const process::Environment& environment;
    const std::string& folder;          // empty: that of the image
    const std::string& standard_input;  // a text
    // A descriptor; -1: what is printed is dropped. Nothing: it goes where ours goes.
    std::optional<int> log;
    // Standard input, output and errors instead of these, where somebody attends the command.
    std::optional<std::array<int, 3>> streams = std::nullopt;
    bool owns_terminal = false;  // standard input is one
  };
  // What keeps the program from starting is a failure of the program's.
  static base::Result<std::variant<RunningCommand, Execution>> start(const Program& program);

  enum class Event { ended, other, timed_out };
  // Waits for the end of the command itself, not for that of others that hold its pipe; or until the
  // descriptor `other` is readable, or the time is up.
  base::Result<Event> wait(const std::optional<Clock::time_point>& deadline, int other = -1);

  void send_signal(int signal) const { m_child.signal_group(signal); }

  // Ends the command, if it has not ended by itself, and all of its group; how it ended.
  base::Result<process::Ending> end();

  // None if what it prints goes where ours goes.
  [[nodiscard]] LogPipe* log() { return m_log ? &*m_log : nullptr; }
  // Why the log is not whole; 0: it is.
  [[nodiscard]] int log_errno() const { return m_log ? m_log->error_number() : 0; }

 private:
  RunningCommand(process::Child child, std::optional<LogPipe> log)
      : m_child(std::move(child)), m_log(std::move(log)) {}

  process::Child m_child;
  std::optional<LogPipe> m_log;
};

}  // namespace local
