// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its relatives as something to look at instead of something that happens.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "base/stop.h"
#include "base/unique_fd.h"

namespace process {

// While it lives, SIGINT, SIGTERM and SIGHUP do not end this process, but base::check_stop() fails as soon as
// one has come. Make it before any thread.
class Interruption {
 public:
  static base::Result<Interruption> watch();
  Interruption(Interruption&&) noexcept;
  Interruption& operator=(Interruption&&) = delete;
  ~Interruption();

  // Readable when a signal has come.
  [[nodiscard]] int descriptor() const;

  // The signal that has come, if one has; asked again it gives the same.
  std::optional<int> signal();

  // Whether somebody has been told of one already.
  [[nodiscard]] bool was_noticed() const;

  // Whether one has come since the last time that this, signal() or base::check_stop() was asked.
  bool take();

  // The next signal that has come, for who passes signals on to another program: it interrupts nothing here.
  std::optional<int> divert();

  // Ends this process by the signal that has come, as it would have without all this; else does nothing.
  void pass_on() &&;

 private:
  struct Watch;
  explicit Interruption(std::unique_ptr<Watch> watch);
  std::unique_ptr<Watch> m_watch;  // at a fixed address: other threads ask it
};

}  // namespace process
