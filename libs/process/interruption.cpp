// SPDX-License-Identifier: Apache-2.0
#include "process/interruption.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/errors.h"

namespace process {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGHUP);
  return set;
}

void let_signals_through() {
  const sigset_t set = watched_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

base::Result<Interruption> Interruption::watch() {
  const sigset_t set = watched_signals();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0)
    return base::fail(base::system_error("watch", "signals", errno));
  base::UniqueFd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) return base::fail(base::system_error("watch", "signals", errno));
  return Interruption(std::move(descriptor));
}

Interruption::~Interruption() {
  if (m_descriptor) let_signals_through();
}

std::optional<int> Interruption::signal() {
  if (!m_signal) take();
  return m_signal;
}

bool Interruption::take() {
  signalfd_siginfo info{};
  if (::read(m_descriptor.get(), &info, sizeof info) != sizeof info) return false;
  m_signal = static_cast<int>(info.ssi_signo);
  return true;
}

void Interruption::pass_on() && {
  if (!signal()) return;
  m_descriptor.reset();
  ::raise(*m_signal);
  let_signals_through();
}

}  // namespace process
