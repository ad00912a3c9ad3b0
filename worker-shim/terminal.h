// SPDX-License-Identifier: Apache-2.0
// The terminal of this session, for a supervisor that hands it on: job control between a shell and a program
// with one more process in between (termios(4); "Job Control" in the manual of the C library).
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"

namespace shim {

// The standard stream that is the terminal on which `group` is in the foreground; -1 when there is none.
int terminal_of(pid_t group);

// Gives the terminal to group `to` if `from` has it and a standard stream leads to it.
void pass_terminal(pid_t from, pid_t to);

// The same when no standard stream leads to the terminal any more.
class Terminal {
 public:
  // The group in the foreground; -1 without a terminal.
  pid_t foreground();

  void give_to(pid_t group);

  // Gives the terminal to `to` if `from` has it.
  void pass(pid_t from, pid_t to);

  // Whether the terminal was ever opened. If not, pass_terminal() is enough to give it back.
  [[nodiscard]] bool was_opened() const { return static_cast<bool>(m_device); }

 private:
  int find();

  base::UniqueFd m_device;
};

// Stops this process, or (whom: 0) its whole group, by one of SIGTSTP, SIGTTIN and SIGTTOU, which must be
// blocked, as SIGCONT must be. Returns true once continued, or false at once where the kernel stops nobody:
// in a group without a parent that could continue it, and as PID 1.
bool stop(int signal, pid_t whom);

}  // namespace shim
