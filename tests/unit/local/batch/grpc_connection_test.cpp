// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/batch/grpc_connection.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace local {
namespace {

using namespace std::string_literals;

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

  std::map<std::int32_t, Answer> answers;

 private:
  static GrpcClient& of(void* user_data) { return *static_cast<GrpcClient*>(user_data); }
  nghttp2_session* m_session = nullptr;
  std::list<std::string> m_bodies;
};

std::string framed(const std::string& message) {
  std::string body(1, '\0');
  for (const unsigned shift : {24U, 16U, 8U, 0U}) body += static_cast<char>(message.size() >> shift & 0xffU);
  return body + message;
}

TEST(GrpcConnection, CallsAreAnswered) {
  for (const std::size_t step : {1U, 7U, 1U << 20U}) {
    GrpcConnection server;
    GrpcClient client;
    const auto first = client.call(framed("one"));
    const auto second = client.call(framed(""), "/x.Y/Z");
    ASSERT_TRUE(client.talk(server, step));
    const auto call = server.take_call();
    const auto other = server.take_call();
    ASSERT_TRUE(call && other);
    EXPECT_EQ(call->path + call->message, "/a.B/Cone");
    EXPECT_EQ(other->path + other->message, "/x.Y/Z");
    EXPECT_FALSE(server.take_call());
    EXPECT_TRUE(server.waits(call->id));
    const std::string large(200'000, 'l');
    server.answer(other->id, large);
    server.answer(call->id, "");
    ASSERT_TRUE(client.talk(server));
    for (const auto& [id, body] : {std::pair(first, framed("")), std::pair(second, framed(large))}) {
      const auto& answer = client.answers[id];
      EXPECT_TRUE(answer.has_ended);
      EXPECT_EQ(answer.body, body);
      EXPECT_EQ(answer.headers.at(":status"), "200");
      EXPECT_EQ(answer.headers.at("content-type"), "application/grpc");
      EXPECT_EQ(answer.headers.at("grpc-status"), "0");
    }
    EXPECT_FALSE(server.waits(call->id));
  }
}

TEST(GrpcConnection, ACallThatIsGivenUpIsGone) {
  GrpcConnection server;
  GrpcClient client;
  const auto early = client.call(framed("early"));
  const auto late = client.call(framed("late"));
  ASSERT_TRUE(client.talk(server));
  client.give_up(early);
  ASSERT_TRUE(client.talk(server));
  const auto call = server.take_call();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->message, "late");
  client.give_up(late);
  ASSERT_TRUE(client.talk(server));
  EXPECT_FALSE(server.waits(call->id));
  server.answer(call->id, "nobody gets it");
  EXPECT_TRUE(client.talk(server));
}

TEST(GrpcConnection, WhatIsNoCallIsRefused) {
  GrpcConnection server;
  GrpcClient client;
  const std::string too_long(GrpcConnection::k_longest_message + 1, 'x');
  const std::map<std::int32_t, std::string> statuses = {{client.call(""), "3"},
                                                        {client.call("\0\0\0\0"s), "3"},
                                                        {client.call("\0\0\0\0\1"s), "3"},
                                                        {client.call(framed("one") + framed("two")), "3"},
                                                        {client.call("\1" + framed("x").substr(1)), "12"},
                                                        {client.call(framed(too_long)), "8"}};
  ASSERT_TRUE(client.talk(server));
  EXPECT_FALSE(server.take_call());
  for (const auto& [id, status] : statuses) {
    EXPECT_TRUE(client.answers[id].has_ended);
    EXPECT_EQ(client.answers[id].headers["grpc-status"], status);
    EXPECT_NE(client.answers[id].headers["grpc-message"], "");
  }
  for (const auto id :
       {client.call(framed(""), "/a.B/C", "GET"), client.call(framed(""), "/a.B/C", "POST", "text/html")}) {
    ASSERT_TRUE(client.talk(server));
    EXPECT_EQ(client.answers[id].headers[":status"], "415");
  }
}

TEST(GrpcConnection, TheLongestMessageIsTaken) {
  GrpcConnection server;
  GrpcClient client;
  client.call(framed(std::string(GrpcConnection::k_longest_message, 'x')));
  ASSERT_TRUE(client.talk(server));
  const auto call = server.take_call();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->message.size(), GrpcConnection::k_longest_message);
}

TEST(GrpcConnection, AReasonIsPercentEncoded) {
  GrpcConnection server;
  GrpcClient client;
  const auto id = client.call(framed(""));
  ASSERT_TRUE(client.talk(server));
  server.refuse(server.take_call()->id, GrpcStatus::unknown, "100 %\n\xc3\xa4");
  ASSERT_TRUE(client.talk(server));
  EXPECT_EQ(client.answers[id].headers["grpc-message"], "100 %25%0A%C3%A4");
}

TEST(GrpcConnection, MoreCallsThanAllowedWait) {
  GrpcConnection server;
  GrpcClient client;
  ASSERT_TRUE(client.talk(server));  // so that the limit is known
  for (std::uint32_t i = 0; i <= GrpcConnection::k_most_calls; ++i) client.call(framed(""));
  ASSERT_TRUE(client.talk(server));
  std::uint32_t count = 0;
  while (const auto call = server.take_call()) ++count;
  EXPECT_EQ(count, GrpcConnection::k_most_calls);
}

TEST(GrpcConnection, OtherProtocolsEndIt) {
  GrpcConnection server;
  EXPECT_FALSE(server.receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
}

}  // namespace
}  // namespace local
