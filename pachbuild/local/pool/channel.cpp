// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/errors.h"
#include "base/stop.h"

namespace local {
namespace {

// How soon somebody who waits for a connection sees that the program shall stop.
constexpr int k_poll_ms = 50;
constexpr char k_name[] = "a worker's socket";
constexpr std::size_t k_step = std::size_t{1} << 20;

// Fills `buffer`; false when the stream ended before its first byte or, for a message cut short, anywhere.
base::Result<bool> receive_all(int socket, char* buffer, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::recv(socket, buffer + done, size - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || (count < 0 && errno == ECONNRESET)) return false;
    if (count < 0) return base::fail(base::system_error("read", k_name, errno));
    done += static_cast<std::size_t>(count);
  }
  return true;
}

base::Status send_all(int socket, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("write", k_name, errno));
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return {};
}

// Room for one descriptor beside a message, aligned as the kernel wants it.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

// The first byte of a message, and the descriptor that goes with it.
base::Status send_first(int socket, char byte, int descriptor) {
  Control control;
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  while (true) {
    const ssize_t count = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (count == 1) return {};
    if (errno != EINTR) return base::fail(base::system_error("write", k_name, errno));
  }
}

// The first byte of a message, and the descriptor that came with it. What is read next finds the end of the
// stream as well.
base::Status receive_first(int socket, char* byte, base::UniqueFd& descriptor) {
  Control control;
  iovec part{byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t count = 0;
  while ((count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (count < 0 && errno != ECONNRESET) return base::fail(base::system_error("read", k_name, errno));
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int received = -1;
    std::memcpy(&received, CMSG_DATA(header), sizeof received);
    descriptor.reset(received);
  }
  return {};
}

// A socket, and its address by way of the folder's descriptor: a name may be longer than the 107 bytes that
// an address has room for.
struct NamedSocket {
  base::UniqueFd socket;
  base::UniqueFd folder;
  sockaddr_un address{};
};

base::Result<NamedSocket> name_socket(const base::fs::path& path) {
  NamedSocket named;
  named.folder.reset(::open(path.parent_path().c_str(), O_PATH | O_CLOEXEC));
  if (!named.folder) return base::fail(base::system_error("read", path.parent_path().string(), errno));
  named.socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!named.socket) return base::fail(base::system_error("create", path.string(), errno));
  const std::string name =
      "/proc/self/fd/" + std::to_string(named.folder.get()) + "/" + path.filename().string();
  named.address.sun_family = AF_UNIX;
  name.copy(&named.address.sun_path[0], sizeof named.address.sun_path - 1);
  return named;
}

}  // namespace

base::Result<Channel> Channel::connect(const base::fs::path& path) {
  BASE_TRY_ASSIGN(auto named, name_socket(path));
  const auto* address = reinterpret_cast<const sockaddr*>(&named.address);
  if (::connect(named.socket.get(), address, sizeof named.address) != 0) {
    return base::fail(base::system_error("connect to", path.string(), errno));
  }
  return Channel(std::move(named.socket));
}

base::Result<Listener> Listener::make(const base::fs::path& path) {
  BASE_TRY_ASSIGN(auto named, name_socket(path));
  const auto* address = reinterpret_cast<const sockaddr*>(&named.address);
  if (::bind(named.socket.get(), address, sizeof named.address) != 0 ||
      ::listen(named.socket.get(), 1) != 0) {
    return base::fail(base::system_error("create", path.string(), errno));
  }
  return Listener(std::move(named.socket));
}

base::Result<std::optional<Channel>> Listener::accept(int instead) {
  std::array<pollfd, 2> entries{pollfd{m_socket.get(), POLLIN, 0}, pollfd{instead, POLLIN, 0}};
  while (true) {
    BASE_TRY(base::check_stop());
    const int ready = ::poll(entries.data(), entries.size(), k_poll_ms);
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) return base::fail(base::system_error("watch", k_name, errno));
  }
  if (entries[0].revents == 0) return std::nullopt;
  base::UniqueFd socket(::accept4(m_socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return base::fail(base::system_error("read", k_name, errno));
  return Channel(std::move(socket));
}

base::Result<std::pair<Channel, Channel>> Channel::make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail(base::system_error("create", k_name, errno));
  }
  return std::pair(Channel(base::UniqueFd(ends[0])), Channel(base::UniqueFd(ends[1])));
}

base::Status Channel::set_patience(std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timeval limit{seconds.count(), std::chrono::microseconds(patience - seconds).count()};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(m_socket.get(), SOL_SOCKET, option, &limit, sizeof limit) != 0)
      return base::fail(base::system_error("set up", k_name, errno));
  }
  return {};
}

base::Status Channel::send(const std::string& message, int descriptor) {
  const auto size = static_cast<std::uint32_t>(message.size());
  const std::array<char, 4> header = {static_cast<char>(size), static_cast<char>(size >> 8),
                                      static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
  std::size_t sent = 0;
  if (descriptor >= 0) {
    BASE_TRY(send_first(m_socket.get(), header.front(), descriptor));
    sent = 1;
  }
  BASE_TRY(send_all(m_socket.get(), header.data() + sent, header.size() - sent));
  return send_all(m_socket.get(), message.data(), message.size());
}

base::Result<std::optional<std::string>> Channel::receive() {
  std::array<unsigned char, 4> header{};
  auto* const bytes = reinterpret_cast<char*>(header.data());
  m_received.reset();
  BASE_TRY(receive_first(m_socket.get(), bytes, m_received));
  BASE_TRY_ASSIGN(const bool has_length, receive_all(m_socket.get(), bytes + 1, header.size() - 1));
  if (!has_length) return std::nullopt;
  const std::uint32_t size = header[0] | std::uint32_t{header[1]} << 8 | std::uint32_t{header[2]} << 16 |
                             std::uint32_t{header[3]} << 24;
  // Room is made for what has come, not for what is announced.
  std::string message;
  while (message.size() < size) {
    const std::size_t done = message.size();
    message.resize(std::min<std::size_t>(size, done + k_step));
    BASE_TRY_ASSIGN(const bool whole,
                    receive_all(m_socket.get(), message.data() + done, message.size() - done));
    if (!whole) return std::nullopt;
  }
  return message;
}

}  // namespace local
