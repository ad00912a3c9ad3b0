// SPDX-License-Identifier: Apache-2.0
// Ctrl-Z for a program that has drawn on the terminal: it takes that away before it stops.
#pragma once

namespace process {

// While it exists, SIGTSTP does not stop this process but waits for stop(). One at a time.
class Suspension {
 public:
  Suspension();
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;
  ~Suspension();

  // Whether the person has asked to stop since the last stop().
  [[nodiscard]] static bool is_asked();
  // Stops this process, as the signal would have; returns when it goes on.
  static void stop();

 private:
  bool m_watches = false;
};

}  // namespace process
