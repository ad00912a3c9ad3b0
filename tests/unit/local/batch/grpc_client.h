// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pachbuild/local/batch/grpc_connection.h"

namespace local {

// A client by the same library, without a network in between.
class GrpcClient {
 public:
  struct Answer {
    std::map<std::string, std::string> headers;
    std::string body;
    bool has_ended = false;
  };

  GrpcClient() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](auto*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_length,
                      const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user_data) {
          const auto text = [](const std::uint8_t* bytes, std::size_t size) {
            return std::string(reinterpret_cast<const char*>(bytes), size);
          };
          of(user_data).answers[frame->hd.stream_id].headers[text(name, name_length)] =
              text(value, value_length);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](auto*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                      void* user_data) {
          of(user_data).answers[id].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](auto*, std::int32_t id, std::uint32_t error, void* user_data) {
          of(user_data).answers[id].has_ended = error == 0;
          return 0;
        });
    nghttp2_session_client_new(&m_session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(m_session, 0, nullptr, 0);
  }
  GrpcClient(const GrpcClient&) = delete;
  GrpcClient& operator=(const GrpcClient&) = delete;
  ~GrpcClient() { nghttp2_session_del(m_session); }

  std::int32_t call(const std::string& body, const std::string& path = "/a.B/C",
                    const std::string& method = "POST", const std::string& type = "application/grpc+proto") {
    m_bodies.push_back(body);
    std::vector<std::pair<std::string, std::string>> fields = {{":method", method},
                                                               {":scheme", "http"},
                                                               {":path", path},
                                                               {":authority", "x"},
                                                               {"content-type", type}};
    std::vector<nghttp2_nv> headers;
    for (auto& [name, value] : fields) {
      headers.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                         reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(), 0});
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = &m_bodies.back();
    provider.read_callback = [](auto*, std::int32_t, std::uint8_t* buffer, std::size_t room,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      auto& rest = *static_cast<std::string*>(source->ptr);
      const auto size = std::min(room, rest.size());
      std::copy_n(rest.begin(), size, buffer);
      rest.erase(0, size);
      if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(size);
    };
    return nghttp2_submit_request(m_session, nullptr, headers.data(), headers.size(), &provider, nullptr);
  }

  void give_up(std::int32_t id) { nghttp2_submit_rst_stream(m_session, 0, id, NGHTTP2_CANCEL); }

  // Carries bytes to and fro until neither side has any; what goes to the server in pieces of `step` bytes.
  bool talk(GrpcConnection& server, std::size_t step = 1 << 20) {
    while (true) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(m_session, &bytes);
      const std::string request(reinterpret_cast<const char*>(bytes),
                                size > 0 ? static_cast<std::size_t>(size) : 0);
      for (std::size_t at = 0; at < request.size(); at += step) {
        if (!server.receive(std::string_view(request).substr(at, step))) return false;
      }
      const auto response = server.take_output();
      nghttp2_session_mem_recv(m_session, reinterpret_cast<const std::uint8_t*>(response.data()),
                               response.size());
      if (request.empty() && response.empty()) return !server.is_over();
    }
  }

  // The same over a connection, until `is_enough` or ten seconds have passed. False when it has been closed.
  bool talk_over(int socket, const std::function<bool()>& is_enough) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_enough() && std::chrono::steady_clock::now() < end) {
      const std::uint8_t* bytes = nullptr;
      while (true) {
        const auto size = nghttp2_session_mem_send(m_session, &bytes);
        if (size <= 0) break;
        if (::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return false;
      }
      pollfd entry{socket, POLLIN, 0};
      if (::poll(&entry, 1, 5) <= 0) continue;
      std::string buffer(1 << 16, '\0');
      const auto count = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (count <= 0) return false;
      nghttp2_session_mem_recv(m_session, reinterpret_cast<const std::uint8_t*>(buffer.data()),
                               static_cast<std::size_t>(count));
    }
    return is_enough();
  }

  std::map<std::int32_t, Answer> answers;

 private:
  static GrpcClient& of(void* user_data) { return *static_cast<GrpcClient*>(user_data); }
  nghttp2_session* m_session = nullptr;
  std::list<std::string> m_bodies;
};

inline std::string framed(const std::string& message) {
  std::string body(1, '\0');
  for (const unsigned shift : {24U, 16U, 8U, 0U}) body += static_cast<char>(message.size() >> shift & 0xffU);
  return body + message;
}

}  // namespace local
