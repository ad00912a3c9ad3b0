// SPDX-License-Identifier: Apache-2.0
// Whole messages over a stream socket: four bytes of length (little end first), then the message. A message
// can bring an open descriptor along (SCM_RIGHTS): so a worker writes to a file that it could not open
// itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace local {

class Channel {
 public:
  explicit Channel(base::UniqueFd socket) : m_socket(std::move(socket)) {}

  // Two connected ends, closed on exec.
  static base::Result<std::pair<Channel, Channel>> make_pair();
  // One end, to a Listener that has `path`.
  static base::Result<Channel> connect(const base::fs::path& path);

  // How long the other end may take for the rest of a message that it has begun, and to take one: for ever,
  // unless this is said. Then it is an error.
  base::Status set_patience(std::chrono::milliseconds patience);

  // `descriptor`: what the other end gets a copy of; -1: nothing.
  base::Status send(const std::string& message, int descriptor = -1);
  // Waits for the next message; nothing when the other end has closed.
  base::Result<std::optional<std::string>> receive();
  // The descriptor that came with the message received last, closed on exec; none if none did.
  base::UniqueFd take_descriptor() { return std::move(m_received); }

  // Readable when there is something to receive.
  [[nodiscard]] int descriptor() const { return m_socket.get(); }
  void close() { m_socket.reset(); }

 private:
  base::UniqueFd m_socket;
  base::UniqueFd m_received;
};

// A socket with a name, for another end that can inherit nothing.
class Listener {
 public:
  static base::Result<Listener> make(const base::fs::path& path);

  // Waits for the other end; nothing when `instead` becomes readable first.
  base::Result<std::optional<Channel>> accept(int instead);

 private:
  explicit Listener(base::UniqueFd socket) : m_socket(std::move(socket)) {}
  base::UniqueFd m_socket;
};

}  // namespace local
