// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace shim::preload {
namespace {

constexpr std::size_t k_most_descriptors = k_descriptors + 1;

// An address holds 107 characters and a cache folder's path may be longer: the name is found through the
// folder's descriptor.
std::optional<sockaddr_un> address_in(int folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const int length =
      std::snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, name.c_str());
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(address.sun_path)) return std::nullopt;
  return address;
}

const sockaddr* as_address(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

base::UniqueFd make_socket() { return base::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); }

}  // namespace

bool send(int socket, std::string_view message, const int* descriptors, std::size_t count) {
  iovec part{const_cast<char*>(message.data()), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(k_most_descriptors * sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (count > 0) {
    header.msg_control = space.data();
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors, count * sizeof(int));
  }
  while (true) {
    const ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return sent == static_cast<ssize_t>(message.size());
  }
}

bool send(int socket, Message kind, std::string_view text) {
  std::string message(1, static_cast<char>(kind));
  message += text.substr(0, k_longest_message - 1);
  return send(socket, message);
}

std::optional<Received> receive(int socket, int flags) {
  std::array<char, k_longest_message> buffer{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(k_most_descriptors * sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
    // A reset is told once, before what was sent until then.
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
  Received received;
  if (size > 0) received.text.assign(buffer.data(), static_cast<std::size_t>(size));
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); size >= 0 && one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    std::array<int, k_most_descriptors> descriptors{};
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(descriptors.data(), CMSG_DATA(one), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) received.descriptors.emplace_back(descriptors[i]);
  }
  return received;
}

base::UniqueFd listen_in(int folder, const std::string& name) {
  constexpr int k_waiting = 16;
  const auto address = address_in(folder, name);
  base::UniqueFd socket = make_socket();
  if (!address || !socket) return {};
  if (::bind(socket.get(), as_address(*address), sizeof(*address)) != 0 ||
      ::listen(socket.get(), k_waiting) != 0)
    return {};
  return socket;
}

base::UniqueFd connect_in(int folder, const std::string& name) {
  const auto address = address_in(folder, name);
  base::UniqueFd socket = make_socket();
  if (!address || !socket) return {};
  // Without waiting for room where too many wait already.
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  if (::connect(socket.get(), as_address(*address), sizeof(*address)) != 0) return {};
  ::fcntl(socket.get(), F_SETFL, 0);
  return socket;
}

bool is_of_this_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace shim::preload
