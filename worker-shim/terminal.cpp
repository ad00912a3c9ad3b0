// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>

#include "worker-shim/signals.h"

namespace shim {
namespace {

constexpr std::array<int, 3> k_streams = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};

}  // namespace

int terminal_of(pid_t group) {
  for (const int stream : k_streams) {
    if (::tcgetpgrp(stream) == group) return stream;
  }
  return -1;
}

void pass_terminal(pid_t from, pid_t to) {
  if (const int terminal = terminal_of(from); terminal >= 0) ::tcsetpgrp(terminal, to);
}

int Terminal::find() {
  for (const int stream : k_streams) {
    if (::tcgetpgrp(stream) >= 0) return stream;
  }
  if (!m_device) m_device = base::UniqueFd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  return m_device.get();
}

pid_t Terminal::foreground() { return ::tcgetpgrp(find()); }

void Terminal::give_to(pid_t group) { ::tcsetpgrp(find(), group); }

void Terminal::pass(pid_t from, pid_t to) {
  if (const int terminal = find(); ::tcgetpgrp(terminal) == from) ::tcsetpgrp(terminal, to);
}

bool stop(int signal, pid_t whom) {
  // This takes away a SIGCONT that was sent before and has not been taken.
  ::kill(whom, signal);
  const sigset_t stopping = only(signal);
  ::sigprocmask(SIG_UNBLOCK, &stopping, nullptr);
  ::sigprocmask(SIG_BLOCK, &stopping, nullptr);
  const sigset_t resumed = only(SIGCONT);
  const timespec now{};
  if (::sigtimedwait(&resumed, nullptr, &now) == SIGCONT) return true;
  // What stops us again at once has taken the SIGCONT away.
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGTSTP) == 1 || ::sigismember(&pending, SIGTTIN) == 1 ||
         ::sigismember(&pending, SIGTTOU) == 1;
}

}  // namespace shim
