// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/descendants.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/unique_fd.h"

namespace shim {
namespace {

// No process has a greater number (PID_MAX_LIMIT of the kernel).
constexpr pid_t k_last_process = 4 * 1024 * 1024;

enum class Kin { none, ended, running };

// What a number means to us; those in a /proc of another PID namespace mean others. A child that has ended is
// reaped.
Kin kin_of(pid_t process) {
  const pid_t result = ::waitpid(process, nullptr, WNOHANG);
  if (result < 0) return Kin::none;
  return result == 0 ? Kin::running : Kin::ended;
}

// Calls `visit` with each child of ours that runs, and tells whether there was a child at all. Reads their
// numbers as they come, whatever their count.
template <class Visit>
bool for_each_listed_child(Visit visit) {
  const base::UniqueFd list(::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  pid_t process = 0;
  bool any = false;
  while (true) {
    const ssize_t count = ::read(list.get(), buffer.data(), buffer.size());
    if (count <= 0) return any;
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
      if (c >= '0' && c <= '9') {
        process = process * 10 + (c - '0');
      } else {
        const Kin kin = process > 0 ? kin_of(process) : Kin::none;
        any = any || kin != Kin::none;
        if (kin == Kin::running) visit(process);
        process = 0;
      }
    }
  }
}

// The same without a list: half a second at most, and less since the search ends with the last child. They
// are mostly younger than the program.
template <class Visit>
void for_each_child_by_trying(pid_t first, Visit visit) {
  for (pid_t i = 0; i < k_last_process; ++i) {
    const pid_t process = (first + i) % k_last_process + 1;
    if (kin_of(process) != Kin::running) continue;
    visit(process);
    if (reap_children() == Children::none) return;
  }
}

}  // namespace

Children reap_children() {
  while (true) {
    const pid_t process = ::waitpid(-1, nullptr, WNOHANG);
    if (process == 0) return Children::running;
    if (process < 0 && errno != EINTR) return Children::none;
  }
}

bool EndRequest::ask() {
  return for_each_listed_child([&](pid_t process) {
    const auto* const end = m_asked.cbegin() + m_count;
    if (m_count == m_asked.size() || std::find(m_asked.cbegin(), end, process) != end) return;
    m_asked.at(m_count++) = process;
    const pid_t group = ::getpgid(process);
    if (group == m_informed_group) return;
    const pid_t whom = group == process ? -process : process;
    ::kill(whom, SIGTERM);
    ::kill(whom, SIGCONT);  // what is stopped would not notice
  });
}

bool kill_children(pid_t first) {
  while (reap_children() == Children::running) {
    bool any_killed = false;
    const auto kill = [&](pid_t process) {
      const bool killed = ::kill(process, SIGKILL) == 0;
      any_killed = any_killed || killed;
      return killed;
    };
    const auto kill_and_wait = [&](pid_t process) {
      if (kill(process)) ::waitpid(process, nullptr, 0);
    };
    if (!for_each_listed_child(kill)) for_each_child_by_trying(first, kill_and_wait);
    if (!any_killed) return reap_children() == Children::none;
    ::waitpid(-1, nullptr, 0);
  }
  return true;
}

}  // namespace shim
