// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/datum_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "pachbuild/local/batch/next_datum.h"
#include "pachbuild/local/batch/peer.h"

namespace local {
namespace {

constexpr std::size_t k_most_clients = 32;
// Of an error's text; whoever reads it sees much less.
constexpr std::size_t k_longest_error = std::size_t{64} * 1024;
constexpr int k_socket_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

base::Error no_server(int error_number) { return base::system_error("listen on", "localhost", error_number); }

template <class Address>
base::UniqueFd listen_on(Address address) {
  base::UniqueFd socket(
      ::socket(reinterpret_cast<sockaddr&>(address).sa_family, SOCK_STREAM | k_socket_flags, 0));
  constexpr int k_waiting = 16;
  if (socket && ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(socket.get(), k_waiting) == 0)
    return socket;
  const int error_number = errno;
  socket.reset();
  errno = error_number;
  return {};
}

base::UniqueFd listen_on_ipv4() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listen_on(address);
}

base::UniqueFd listen_on_ipv6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(port);
  return listen_on(address);
}

void add_to(const base::UniqueFd& event) {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event.get(), &one, sizeof one));
}

void clear(const base::UniqueFd& event) {
  std::uint64_t count = 0;
  static_cast<void>(!::read(event.get(), &count, sizeof count));
}

}  // namespace

base::Result<std::unique_ptr<DatumServer>> DatumServer::start() {
  std::unique_ptr<DatumServer> server(new DatumServer());
  BASE_TRY(server->listen());
  server->m_called.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  server->m_woken.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!server->m_called || !server->m_woken) return base::fail(no_server(errno));
  try {
    server->m_thread = std::thread([raw = server.get()] { raw->serve(); });
  } catch (const std::system_error& error) {
    return base::fail(no_server(error.code().value()));
  }
  return server;
}

// "localhost" is both addresses. Whoever had the same port of the other one would get calls that are meant
// for this server.
base::Status DatumServer::listen() {
  constexpr int k_tries = 16;
  for (int attempt = 0; attempt < k_tries; ++attempt) {
    m_listener = listen_on_ipv4();
    if (!m_listener) return base::fail(no_server(errno));
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(m_listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return base::fail(no_server(errno));
    m_port = ntohs(address.sin_port);
    m_listener6 = listen_on_ipv6(m_port);
    if (m_listener6 || errno != EADDRINUSE) return {};
  }
  return base::fail(no_server(EADDRINUSE));
}

DatumServer::~DatumServer() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
  }
  wake();
  if (m_thread.joinable()) m_thread.join();
}

void DatumServer::wake() const { add_to(m_woken); }

void DatumServer::serve() {
  while (true) {
    std::vector<pollfd> entries{
        {m_woken.get(), POLLIN, 0}, {m_listener.get(), POLLIN, 0}, {m_listener6.get(), POLLIN, 0}};
    const std::size_t before_clients = entries.size();
    std::vector<std::uint64_t> numbers;
    {
      const std::lock_guard lock(m_mutex);
      if (m_ending) return;
      for (auto& [number, client] : m_clients) {
        const int events = client.output.empty() ? POLLIN : POLLIN | POLLOUT;
        entries.push_back({client.socket.get(), static_cast<short>(events), 0});
        numbers.push_back(number);
      }
    }
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;
    if (entries[0].revents != 0) clear(m_woken);
    for (const std::size_t i : {1U, 2U}) {
      if (entries[i].revents != 0) accept(entries[i].fd);
    }
    const std::lock_guard lock(m_mutex);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto client = m_clients.find(numbers[i]);
      if (client == m_clients.end()) continue;
      if (entries[i + before_clients].revents == 0) continue;
      const bool is_there = receive(client->second);
      if (is_there) collect_calls(numbers[i], client->second);
      take_back(numbers[i], client->second);
      if (!is_there) m_clients.erase(client);
    }
    give_answer();
    for (auto client = m_clients.begin(); client != m_clients.end();) {
      const bool is_there = send(client->second);
      if (!is_there) take_back(client->first, client->second);
      client = is_there ? std::next(client) : m_clients.erase(client);
    }
  }
}

void DatumServer::accept(int listener) {
  base::UniqueFd socket(::accept4(listener, nullptr, nullptr, k_socket_flags));
  if (!socket || !is_from_own_namespace(socket.get())) return;
  const int yes = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const std::lock_guard lock(m_mutex);
  if (m_clients.size() >= k_most_clients) return;
  m_clients[m_next_number++].socket = std::move(socket);
}

// The answer is there for the next call if this client has not read it.
void DatumServer::take_back(std::uint64_t number, const Client& client) {
  if (!m_given || m_given->first.client != number) return;
  if (!client.is_broken && !client.connection.was_given_up(m_given->first.id)) return;
  if (!m_answer) m_answer = std::move(m_given->second);
  m_given.reset();
}

// False when the client is gone.
bool DatumServer::receive(Client& client) {
  std::array<char, std::size_t{16} * 1024> buffer;
  const ssize_t count = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) {
    // Who closes a socket before it has read all resets the connection.
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(client.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    client.is_broken = count < 0 || error != 0 || !client.output.empty();
    return false;
  }
  return client.connection.receive({buffer.data(), static_cast<std::size_t>(count)});
}

bool DatumServer::send(Client& client) {
  while (true) {
    if (client.output.empty()) client.output = client.connection.take_output();
    if (client.output.empty()) return !client.connection.is_over();
    const ssize_t count =
        ::send(client.socket.get(), client.output.data(), client.output.size(), MSG_NOSIGNAL);
    if (count < 0) {
      client.is_broken = errno != EAGAIN && errno != EINTR;
      return !client.is_broken;
    }
    client.output.erase(0, static_cast<std::size_t>(count));
  }
}

void DatumServer::collect_calls(std::uint64_t number, Client& client) {
  while (auto call = client.connection.take_call()) {
    if (call->path != k_next_datum_path) {
      client.connection.refuse(call->id, GrpcStatus::unimplemented,
                               "pachbuild run offers " + std::string(k_next_datum_path) + " only");
      continue;
    }
    auto error = decode_next_datum_request(call->message);
    if (!error) {
      client.connection.refuse(call->id, GrpcStatus::invalid_argument, "not a NextDatumRequest");
      continue;
    }
    error->resize(std::min(error->size(), k_longest_error));
    m_waiting.push_back({number, call->id, std::move(*error)});
    add_to(m_called);
  }
}

bool DatumServer::waits(const Call& call) const {
  const auto client = m_clients.find(call.client);
  return client != m_clients.end() && client->second.connection.waits(call.id);
}

void DatumServer::drop_abandoned() {
  std::erase_if(m_waiting, [this](const Call& call) { return !waits(call); });
}

// Hands the answer to whoever it is for, as soon as there is one.
void DatumServer::give_answer() {
  drop_abandoned();
  if (!m_answer) return;
  if ((!m_taken || !waits(*m_taken)) && !m_waiting.empty() && m_waiting.front().error.empty()) {
    m_taken = std::move(m_waiting.front());
    m_waiting.pop_front();
  }
  if (!m_taken || !waits(*m_taken)) return;
  m_clients.at(m_taken->client).connection.answer(m_taken->id, *m_answer);
  m_given.emplace(std::move(*m_taken), std::move(*m_answer));
  m_answer.reset();
  m_taken.reset();
}

std::optional<std::string> DatumServer::take_call() {
  const std::lock_guard lock(m_mutex);
  clear(m_called);
  // The thread may not have come to it: a call that waits can be one that needs this answer.
  if (m_answer) {
    give_answer();
    wake();
  }
  drop_abandoned();
  if (m_waiting.empty()) return std::nullopt;
  m_taken = std::move(m_waiting.front());
  m_waiting.pop_front();
  m_answer.reset();
  m_given.reset();
  if (!m_waiting.empty()) add_to(m_called);
  return m_taken->error;
}

void DatumServer::answer(std::string message) {
  {
    const std::lock_guard lock(m_mutex);
    m_answer = std::move(message);
  }
  wake();
}

void DatumServer::disconnect() {
  {
    const std::lock_guard lock(m_mutex);
    m_clients.clear();
    m_waiting.clear();
    m_taken.reset();
    m_answer.reset();
    m_given.reset();
    clear(m_called);
  }
  wake();
}

}  // namespace local
