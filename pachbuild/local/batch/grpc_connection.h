// SPDX-License-Identifier: Apache-2.0
// One client of a small gRPC server: the bytes of its HTTP/2 connection go in and out here, and whole unary
// calls come out of them. Clients are not trusted: all that is kept of one is bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

struct nghttp2_session;

namespace local {

// As far as they are used; see the gRPC specification.
enum class GrpcStatus { unknown = 2, invalid_argument = 3, resource_exhausted = 8, unimplemented = 12 };

class GrpcConnection {
 public:
  // The longest message of a call.
  static constexpr std::size_t k_longest_message = 1 << 20;
  // Calls that a client may have open.
  static constexpr std::uint32_t k_most_calls = 8;

  GrpcConnection();
  GrpcConnection(const GrpcConnection&) = delete;
  GrpcConnection& operator=(const GrpcConnection&) = delete;
  ~GrpcConnection();

  // What has come from the client; false when the connection has to end.
  bool receive(std::string_view bytes);
  // What goes to the client next; empty when there is nothing. It counts as sent.
  std::string take_output();
  // Whether both sides have said all.
  [[nodiscard]] bool is_over() const;

  struct Call {
    std::int32_t id = 0;
    std::string path;  // "/package.Service/Method"
    std::string message;
  };
  // The next call that has come whole.
  std::optional<Call> take_call();
  // Whether the client still waits for the answer to a call.
  [[nodiscard]] bool waits(std::int32_t id) const { return m_streams.contains(id); }

  // Whether this is the last call that the client has given up, perhaps after the answer was sent.
  [[nodiscard]] bool was_given_up(std::int32_t id) const { return m_given_up == id; }

  void answer(std::int32_t id, std::string_view message);
  void refuse(std::int32_t id, GrpcStatus status, const std::string& why);

 private:
  struct Stream {
    std::string method;
    std::string path;
    std::string content_type;
    std::string body;
    bool is_too_long = false;
    std::string response;
    std::size_t sent = 0;  // of the response
  };
  friend struct GrpcCallbacks;
  void finish_request(std::int32_t id);

  nghttp2_session* m_session = nullptr;
  std::map<std::int32_t, Stream> m_streams;
  std::deque<Call> m_calls;
  std::int32_t m_given_up = 0;
};

}  // namespace local
