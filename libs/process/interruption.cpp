// SPDX-License-Identifier: Apache-2.0
#include "process/interruption.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/errors.h"

namespace process {
namespace {

// A signal that is ignored stays so, as nohup has it: watching would make it be seen all the same.
sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
  }
  return set;
}

void let_signals_through() {
  const sigset_t set = watched_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

struct Interruption::Watch {
  explicit Watch(base::UniqueFd signals) : descriptor(std::move(signals)) {}

  [[nodiscard]] bool has_come() const {
    if (taken) return true;
    pollfd entry{descriptor.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
  }

  base::UniqueFd descriptor;
  std::optional<int> signal;
  std::atomic<bool> taken = false;
  base::StopQuestion question{[this] { return has_come(); }};
};

base::Result<Interruption> Interruption::watch() {
  const sigset_t set = watched_signals();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0)
    return base::fail(base::system_error("watch", "signals", errno));
  base::UniqueFd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) return base::fail(base::system_error("watch", "signals", errno));
  return Interruption(std::make_unique<Watch>(std::move(descriptor)));
}

Interruption::Interruption(std::unique_ptr<Watch> watch) : m_watch(std::move(watch)) {}
Interruption::Interruption(Interruption&&) noexcept = default;

Interruption::~Interruption() {
  if (m_watch) let_signals_through();
}

int Interruption::descriptor() const { return m_watch->descriptor.get(); }

std::optional<int> Interruption::signal() {
  if (!m_watch->signal) take();
  return m_watch->signal;
}

bool Interruption::take() {
  signalfd_siginfo info{};
  if (::read(descriptor(), &info, sizeof info) != sizeof info) return false;
  m_watch->signal = static_cast<int>(info.ssi_signo);
  m_watch->taken = true;
  return true;
}

void Interruption::pass_on() && {
  const auto number = signal();
  if (!number) return;
  m_watch.reset();
  ::raise(*number);
  let_signals_through();
}

}  // namespace process
