// SPDX-License-Identifier: Apache-2.0
// The terminal of this session, for a supervisor that hands it on: job control as it is between a shell and
// the program, with one more process in between (termios(4), "Job control" in the manual of the C library).
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"

namespace shim {

// The standard stream that is the terminal on which `group` is in the foreground; -1 when there is none.
int terminal_of(pid_t group);

// The group `to` gets the terminal, if `from` has it and a standard stream leads to it.
void pass_terminal(pid_t from, pid_t to);

// The same where no standard stream leads to it any more.
class Terminal {
 public:
  // The group in the foreground; -1 without a terminal.
  pid_t foreground();

  void give_to(pid_t group);

  // If `from` has it.
  void pass(pid_t from, pid_t to);

  // Whether it was ever looked for: only then anything can have to be given back that pass_terminal() does
  // not see.
  [[nodiscard]] bool was_opened() const { return static_cast<bool>(m_device); }

 private:
  int find();

  base::UniqueFd m_device;
};

// Stops this process, or (whom: 0) its whole group, by one of SIGTSTP, SIGTTIN and SIGTTOU, which must be
// blocked as SIGCONT is. Comes back when it was continued (true), or at once where the kernel stops nobody
// (false): in a group that has nobody above it to continue it, and PID 1.
bool stop(int signal, pid_t whom);

}  // namespace shim
