// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/unique_fd.h"

namespace local {
namespace {

// Both ends of a connection over the loopback, the client's socket of `family`.
struct Connection {
  base::UniqueFd server;
  base::UniqueFd client;
};

template <class Address>
Connection connect_over(Address address, int client_family) {
  const base::UniqueFd listener(
      ::socket(reinterpret_cast<sockaddr&>(address).sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return {};
  base::UniqueFd client(::socket(client_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int connected = -1;
  if constexpr (std::is_same_v<Address, sockaddr_in>) {
    if (client_family == AF_INET6) {
      // An address of IPv4 as one of IPv6 (RFC 4291, 2.5.5.2).
      sockaddr_in6 mapped{};
      mapped.sin6_family = AF_INET6;
      mapped.sin6_port = address.sin_port;
      ::inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
      connected = ::connect(client.get(), reinterpret_cast<sockaddr*>(&mapped), sizeof mapped);
    }
  }
  if (connected != 0) connected = ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size);
  if (connected != 0) return {};
  return {base::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)), std::move(client)};
}

sockaddr_in loopback4() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_in6 loopback6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return address;
}

TEST(PeerOfAConnection, OfThisNamespaceIsKnownByItsSocket) {
  const auto plain = connect_over(loopback4(), AF_INET);
  ASSERT_TRUE(plain.server);
  EXPECT_TRUE(is_from_own_namespace(plain.server.get()));
  EXPECT_TRUE(is_from_own_namespace(plain.client.get())) << "the other end is ours as well";
  if (const auto mapped = connect_over(loopback4(), AF_INET6); mapped.server) {
    EXPECT_TRUE(is_from_own_namespace(mapped.server.get()));
  }
  if (const auto six = connect_over(loopback6(), AF_INET6); six.server) {
    EXPECT_TRUE(is_from_own_namespace(six.server.get()));
  }
}

TEST(PeerOfAConnection, WithoutAnOwnerOrAConnectionIsNone) {
  auto plain = connect_over(loopback4(), AF_INET);
  ASSERT_TRUE(plain.server);
  plain.client.reset();
  EXPECT_FALSE(is_from_own_namespace(plain.server.get()));
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const base::UniqueFd one(ends[0]);
  const base::UniqueFd other(ends[1]);
  EXPECT_FALSE(is_from_own_namespace(one.get()));
  const base::UniqueFd unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(is_from_own_namespace(unconnected.get()));
  EXPECT_FALSE(is_from_own_namespace(-1));
}

}  // namespace
}  // namespace local
