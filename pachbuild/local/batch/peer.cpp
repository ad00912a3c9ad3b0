// SPDX-License-Identifier: Apache-2.0
// TCP does not say which process is at the other end. /proc/net/tcp has the number of its socket, though, and
// /proc/PID/fd whose that is. See proc(5).
#include "pachbuild/local/batch/peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/unique_fd.h"

namespace local {
namespace {

// As the kernel prints the ends of a connection: the address in words of 32 bits of this machine's order.
std::optional<std::string> printed(const sockaddr_storage& address) {
  std::vector<std::uint32_t> words;
  in_port_t port = 0;
  if (address.ss_family == AF_INET) {
    const auto& end = reinterpret_cast<const sockaddr_in&>(address);
    words.push_back(end.sin_addr.s_addr);
    port = ntohs(end.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& end = reinterpret_cast<const sockaddr_in6&>(address);
    words.resize(4);
    std::copy_n(reinterpret_cast<const std::uint32_t*>(&end.sin6_addr), words.size(), words.begin());
    port = ntohs(end.sin6_port);
  } else {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 16> buffer{};
  for (const auto word : words) {
    std::snprintf(buffer.data(), buffer.size(), "%08X", word);
    text += buffer.data();
  }
  std::snprintf(buffer.data(), buffer.size(), ":%04X", static_cast<unsigned>(port));
  return text + buffer.data();
}

struct Line {
  std::string local;
  std::string remote;
  std::string socket;
};

// "  12: 0100007F:1F90 0100007F:A2B4 01 … 4711 …": the tenth word is the socket's number.
std::optional<Line> read_line(const std::string& text) {
  constexpr std::size_t k_socket = 9;
  const auto words = base::words(text);
  if (words.size() <= k_socket) return std::nullopt;
  return Line{words[1], words[2], words[k_socket]};
}

// The socket whose own end is `own` and whose other end is `other`.
std::optional<std::string> find_socket(const char* table, const std::string& own, const std::string& other) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(table, "re"), std::fclose);
  if (!file) return std::nullopt;
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr) {
    const std::string text = line.data();
    if (!base::contains(text, own)) continue;
    const auto found = read_line(text);
    if (found && found->local == own && found->remote == other) return found->socket;
  }
  return std::nullopt;
}

std::optional<std::string> socket_of_peer(int connection) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(connection, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      ::getpeername(connection, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
    return std::nullopt;
  const auto here = printed(own);
  const auto there = printed(peer);
  if (!here || !there) return std::nullopt;
  if (own.ss_family == AF_INET6) return find_socket("/proc/net/tcp6", *there, *here);
  if (auto socket = find_socket("/proc/net/tcp", *there, *here)) return socket;
  // A client's socket of IPv6 that is connected to an address of IPv4 is in the other table.
  const std::string mapped = "0000000000000000FFFF0000";
  return find_socket("/proc/net/tcp6", mapped + *there, mapped + *here);
}

std::string link_target(const std::string& path) {
  std::array<char, 256> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length <= 0 ? "" : std::string(target.data(), static_cast<std::size_t>(length));
}

// Whether `matches` holds for an entry of the folder.
bool any_entry(const std::string& folder, const std::function<bool(const std::string&)>& matches) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
  if (!entries) return false;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (entry->d_name[0] != '.' && matches(entry->d_name)) return true;
  }
  return false;
}

}  // namespace

bool is_from_own_namespace(int connection) {
  const auto socket = socket_of_peer(connection);
  if (!socket) return false;
  const std::string wanted = "socket:[" + *socket + "]";
  // In a container that hides parts of /proc, it is that of the whole container.
  const bool has_own_proc = link_target("/proc/self") == std::to_string(::getpid());
  const std::string own = link_target("/proc/self/ns/pid");
  return any_entry("/proc", [&](const std::string& name) {
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) return false;
    const std::string process = "/proc/" + name;
    if (!has_own_proc && link_target(process + "/ns/pid") != own) return false;
    const std::string descriptors = process + "/fd";
    return any_entry(descriptors, [&](const std::string& descriptor) {
      return link_target(descriptors + "/" + descriptor) == wanted;
    });
  });
}

}  // namespace local
