// SPDX-License-Identifier: Apache-2.0
#include "process/suspension.h"

#include <csignal>

namespace process {
namespace {

volatile std::sig_atomic_t g_asked = 0;

void note(int) { g_asked = 1; }

bool watch() {
  struct sigaction action{};
  // Whoever started us and ignores it does so for us too.
  if (::sigaction(SIGTSTP, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) return false;
  action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  return ::sigaction(SIGTSTP, &action, nullptr) == 0;
}

void leave() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &action, nullptr);
}

}  // namespace

Suspension::Suspension() : m_watches(watch()) {}

Suspension::~Suspension() {
  if (m_watches) leave();
  g_asked = 0;
}

bool Suspension::is_asked() { return g_asked != 0; }

void Suspension::stop() {
  g_asked = 0;
  leave();
  ::raise(SIGTSTP);
  watch();
}

}  // namespace process
