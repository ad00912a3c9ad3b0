// SPDX-License-Identifier: Apache-2.0
// Watches over the user's program: forwards signals to it, reaps what it leaves, ends as it ends. For PID 1
// of a container, which the kernel asks for all that, and for whoever asks for it with --supervise.
//
// No handlers, no threads, no heap once the program runs. All signals are blocked from before it until the
// end, and the supervisor takes them one by one (sigwaitinfo), so there is no moment at which one could be
// lost.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>

#include "base/result.h"

namespace shim {

enum class Receiver { group, process };

struct Supervision {
  bool asked = false;
  std::chrono::milliseconds grace{10'000};  // between SIGTERM and SIGKILL
  Receiver receiver = Receiver::group;      // of forwarded signals
  int parent_death_signal = 0;              // that we want when our parent dies; 0: none
  // Exit codes that become others: a bit in `remapped`, the new code at its place in `exit_codes`.
  std::array<std::uint64_t, 4> remapped{};
  std::array<unsigned char, 256> exit_codes{};

  void remap(unsigned from, unsigned to);
  [[nodiscard]] int exit_code(unsigned code) const;
};

enum class Start {
  at_once,   // the program only has to be executed: its process shares our memory until then (vfork)
  prepared,  // it has to be prepared, which takes time and memory: that can be ended as the program can
};

// Starts a process in which `become` turns into the program, with its signals as they were when we were
// started, or gives the exit code of a failure. Gives the exit code, once the program and all that it started
// have ended.
base::Result<int> supervise(const Supervision& options, Start start, const std::function<int()>& become);

}  // namespace shim
