// SPDX-License-Identifier: Apache-2.0
// The command of a task while a person attends it, seen from outside of its worker.
#pragma once

#include <array>

#include "base/result.h"
#include "base/unique_fd.h"
#include "pachbuild/local/pool/channel.h"

namespace local {

class AttendedCommand {
 public:
  // The worker at the other end of `channel` is ready to start it. `terminal`: our end of the command's
  // terminal, none if it has none.
  AttendedCommand(Channel& channel, base::UniqueFd terminal)
      : m_channel(channel), m_terminal(std::move(terminal)) {}

  // -1: there is none.
  [[nodiscard]] int terminal() const { return m_terminal ? m_terminal.get() : -1; }

  // With these descriptors as its standard input, output and errors; -1: its terminal.
  base::Status start(const std::array<int, 3>& streams);

  // Readable when it has ended.
  [[nodiscard]] int ended() const { return m_channel.descriptor(); }

  // To its process group.
  base::Status send_signal(int signal);

  // As when the window of a terminal is closed: whoever uses it is told (SIGHUP).
  void hang_up() { m_terminal.reset(); }

 private:
  Channel& m_channel;
  base::UniqueFd m_terminal;
};

}  // namespace local
