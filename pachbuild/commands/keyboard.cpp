// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/keyboard.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace commands {

Keyboard::Keyboard() : m_is_terminal(::isatty(STDIN_FILENO) == 1) { refresh(); }

Keyboard::~Keyboard() { release(); }

void Keyboard::release() {
  refresh();  // in the background nothing may be changed, and the shell has done it
  if (m_is_ours && m_former) ::tcsetattr(STDIN_FILENO, TCSANOW, &*m_former);
}

void Keyboard::refresh() {
  if (!m_is_terminal) return;
  m_is_ours = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  termios now{};
  if (!m_is_ours || ::tcgetattr(STDIN_FILENO, &now) != 0) return;
  if ((now.c_lflag & (ICANON | ECHO)) == 0) return;
  m_former = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  // Ctrl-\ would leave the terminal like this.
  now.c_cc[VQUIT] = _POSIX_VDISABLE;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

int Keyboard::descriptor() const { return m_is_ours ? STDIN_FILENO : -1; }

std::string Keyboard::take() {
  constexpr std::size_t k_at_once = 64;
  std::array<char, k_at_once> keys{};
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (count > 0) return {keys.data(), static_cast<std::size_t>(count)};
  if (count == 0 || (errno != EINTR && errno != EAGAIN)) m_is_terminal = m_is_ours = false;
  return "";
}

}  // namespace commands
