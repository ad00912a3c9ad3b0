// SPDX-License-Identifier: Apache-2.0
// Runs a tool to its end and keeps what it printed. An interface, so that tests can stand in for the tools.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "process/child.h"
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
  // Whether several threads may call run() at the same time.
  [[nodiscard]] virtual bool is_shared() const { return false; }
};

// Starts real processes. With an interruption, a signal ends what runs and makes it an error:
//  - the first signal is passed on to the process group, which is killed when it has not ended in time;
//  - what is run after that (to clean up) has a time of its own, all of it together, and is killed then;
//  - with the second signal everything is killed at once, and nothing is started any more.
// Other threads may have runners of their own with the same interruption.
class SystemRunner final : public Runner {
 public:
  struct Patience {
    std::chrono::milliseconds end{0};  // 0: it is killed without being told
    std::chrono::milliseconds cleanup{10'000};
  };
  // For tools that have something to take back when they are told to stop.
  static constexpr std::chrono::milliseconds k_tool_end{5000};

  explicit SystemRunner(Interruption* interruption = nullptr) : SystemRunner(interruption, Patience{}) {}
  SystemRunner(Interruption* interruption, Patience patience)
      : m_interruption(interruption), m_patience(patience) {}

  base::Result<Finished> run(const Command& command, const ErrorSink& sink) override;
  // The same for a tool whose output goes where `command` says.
  base::Result<Ending> run_in_view(const Command& command);

 private:
  using Time = std::chrono::steady_clock::time_point;

  // The reading ends of a child's pipes; none when it has none.
  struct Streams {
    base::UniqueFd output;
    base::UniqueFd errors;
    std::function<void(std::string_view)> on_output;
    std::function<void(std::string_view)> on_errors;
  };

  // Waits until the child has ended and, unless it ends its group, until its pipes are closed.
  base::Result<Ending> watch(Child child, const Command& command, std::optional<Time> deadline,
                             Streams& streams);
  // Until when a command that starts now may run; an error when none may start.
  base::Result<std::optional<Time>> deadline_of();
  // What a signal that has come means for `child`: until when it may go on, or that it ends now.
  base::Result<Time> interrupt(const Child& child);
  void begin_cleanup();

  Interruption* m_interruption;
  Patience m_patience;
  int m_signals = 0;   // that came while something ran
  Time m_cleanup_end;  // once the first has come
};

}  // namespace process
