// SPDX-License-Identifier: Apache-2.0
// Sets of signals.
#pragma once

#include <csignal>

namespace shim {

inline sigset_t every_signal() {
  sigset_t set;
  ::sigfillset(&set);
  return set;
}

inline sigset_t only(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  return set;
}

}  // namespace shim
