// SPDX-License-Identifier: Apache-2.0
// A started process. It leads a process group of its own, has default signal dispositions, an empty signal
// mask and no descriptor that it was not given.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"
#include "process/command.h"

namespace process {

class Child {
 public:
  // Fails when the program cannot be executed, with the reason of exec itself.
  static base::Result<Child> start(const Command& command);

  Child(Child&&) = default;
  Child& operator=(Child&&) = delete;
  // A child that is still running is killed with its group and waited for: none is ever left behind.
  ~Child();

  [[nodiscard]] pid_t pid() const { return m_pid; }

  // Becomes readable when the child has ended: for poll().
  [[nodiscard]] int descriptor() const { return m_descriptor.get(); }

  // Waits for the end. Afterwards the child is gone and pid() means nothing.
  base::Result<Ending> wait();

  // The same, but gives up after `limit`; nothing then.
  base::Result<std::optional<Ending>> wait_for(std::chrono::milliseconds limit);

  // Sends a signal to every process of the group. A group that is gone is fine.
  void signal_group(int signal) const;

  // Asks the group to stop, as Ctrl-Z does, and gives the child this time to do so in its own way.
  void suspend_group(std::chrono::milliseconds patience) const;

 private:
  Child(pid_t pid, base::UniqueFd descriptor) : m_pid(pid), m_descriptor(std::move(descriptor)) {}
  pid_t m_pid;
  base::UniqueFd m_descriptor;  // a pidfd; none once the child was waited for
};

}  // namespace process
