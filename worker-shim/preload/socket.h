// SPDX-License-Identifier: Apache-2.0
// Messages with descriptors over Unix sockets (unix(7), cmsg(3)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "worker-shim/preload/messages.h"

namespace shim::preload {

// Whether the message was sent whole; no signal comes of a connection that is gone.
bool send(int socket, std::string_view message, const int* descriptors = nullptr, std::size_t count = 0);
bool send(int socket, Message kind, std::string_view text = {});

struct Received {
  std::string text;  // empty: the other side is gone
  std::vector<base::UniqueFd> descriptors;

  [[nodiscard]] bool is(Message kind) const {
    return !text.empty() && text.front() == static_cast<char>(kind);
  }
  [[nodiscard]] std::string_view rest() const { return std::string_view(text).substr(1); }
};

// Returns nothing if no message has arrived and the call does not wait (`flags` of recvmsg).
std::optional<Received> receive(int socket, int flags = 0);

// Listens at, or connects to, a name in a folder. None: not possible.
base::UniqueFd listen_in(int folder, const std::string& name);
base::UniqueFd connect_in(int folder, const std::string& name);

// Whether the process at the other end belongs to this user.
bool is_of_this_user(int socket);

}  // namespace shim::preload
