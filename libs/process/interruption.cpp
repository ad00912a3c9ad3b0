// SPDX-License-Identifier: Apache-2.0
#include "process/interruption.h"

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

  // Any thread may ask; who is told of a signal first has taken it, so that what cleans up after the
  // interrupted work is not interrupted by the same one.
  bool take() {
    const auto number = next();
    if (number) signal = *number;
    return number.has_value();
  }

  [[nodiscard]] std::optional<int> next() const {
    signalfd_siginfo info{};
    if (::read(descriptor.get(), &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

  base::UniqueFd descriptor;
  std::atomic<int> signal = 0;  // the last that has come
  base::StopQuestion question{[this] { return signal != 0 || take(); }};
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
  if (m_watch->signal == 0) take();
  const int number = m_watch->signal;
  return number == 0 ? std::nullopt : std::optional(number);
}

bool Interruption::was_noticed() const { return m_watch->signal != 0; }

bool Interruption::take() { return m_watch->take(); }

std::optional<int> Interruption::divert() { return m_watch->next(); }

void Interruption::pass_on() && {
  const auto number = signal();
  if (!number) return;
  m_watch.reset();
  ::raise(*number);
  let_signals_through();
}

}  // namespace process
