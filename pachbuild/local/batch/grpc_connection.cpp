// SPDX-License-Identifier: Apache-2.0
// A call is a stream: headers and the request come in, then headers, the response and trailers with
// "grpc-status" go out. Every message has five bytes before it: whether it is compressed, and its size. See
// doc/PROTOCOL-HTTP2.md of gRPC.
#include "pachbuild/local/batch/grpc_connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

namespace local {
namespace {

constexpr std::size_t k_prefix_length = 5;
constexpr std::size_t k_longest_header = 4096;
constexpr std::uint32_t k_longest_header_list = 16 * 1024;

nghttp2_nv header(std::string_view name, std::string_view value) {
  // The library copies both, and writes to neither.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// As "grpc-message" has it: what is not printable ASCII, and '%', is %XX.
std::string percent_encoded(std::string_view text) {
  constexpr char k_digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= ' ' && byte <= '~' && byte != '%') {
      encoded += character;
    } else {
      encoded += {'%', k_digits[byte >> 4U], k_digits[byte & 0xfU]};
    }
  }
  return encoded;
}

std::string with_prefix(std::string_view message) {
  std::string framed(1, '\0');
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    framed += static_cast<char>(message.size() >> shift & 0xffU);
  return framed.append(message);
}

}  // namespace

// The library's callbacks. None of them lets an exception through C code: what cannot be had ends the
// connection.
struct GrpcCallbacks {
  static GrpcConnection& of(void* user_data) { return *static_cast<GrpcConnection*>(user_data); }

  template <class Body>
  static int guarded(const Body& body) {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    return guarded([&] {
      of(user_data).m_streams.try_emplace(frame->hd.stream_id);
      return 0;
    });
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t, void* user_data) {
    auto& streams = of(user_data).m_streams;
    const auto stream = streams.find(frame->hd.stream_id);
    if (stream == streams.end() || value_length > k_longest_header) return 0;
    return guarded([&] {
      const std::string_view key(reinterpret_cast<const char*>(name), name_length);
      const std::string_view text(reinterpret_cast<const char*>(value), value_length);
      if (key == ":method") stream->second.method = text;
      if (key == ":path") stream->second.path = text;
      if (key == "content-type") stream->second.content_type = text;
      return 0;
    });
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user_data) {
    auto& streams = of(user_data).m_streams;
    const auto stream = streams.find(id);
    if (stream == streams.end()) return 0;
    return guarded([&] {
      auto& body = stream->second.body;
      const std::size_t room = GrpcConnection::k_longest_message + k_prefix_length - body.size();
      stream->second.is_too_long = stream->second.is_too_long || size > room;
      body.append(reinterpret_cast<const char*>(data), std::min(size, room));
      return 0;
    });
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type == NGHTTP2_RST_STREAM) of(user_data).m_given_up = frame->hd.stream_id;
    const bool is_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!is_request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    return guarded([&] {
      of(user_data).finish_request(frame->hd.stream_id);
      return 0;
    });
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user_data) {
    of(user_data).m_streams.erase(id);
    return 0;
  }

  static ssize_t read_response(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                               std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                               void* user_data) {
    auto& streams = of(user_data).m_streams;
    const auto found = streams.find(id);
    if (found == streams.end()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    auto& stream = found->second;
    const std::size_t size = std::min(room, stream.response.size() - stream.sent);
    std::copy_n(stream.response.begin() + static_cast<std::ptrdiff_t>(stream.sent), size, buffer);
    stream.sent += size;
    if (stream.sent == stream.response.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto status = header("grpc-status", "0");
      if (nghttp2_submit_trailer(session, id, &status, 1) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return static_cast<ssize_t>(size);
  }
};

GrpcConnection::GrpcConnection() {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, GrpcCallbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, GrpcCallbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, GrpcCallbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, GrpcCallbacks::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, GrpcCallbacks::on_close);
  const int made = nghttp2_session_server_new(&m_session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) throw std::bad_alloc();
  const std::array<nghttp2_settings_entry, 2> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, k_most_calls},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, k_longest_header_list},
  }};
  if (nghttp2_submit_settings(m_session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0)
    throw std::bad_alloc();
}

GrpcConnection::~GrpcConnection() { nghttp2_session_del(m_session); }

bool GrpcConnection::receive(std::string_view bytes) {
  const auto taken =
      nghttp2_session_mem_recv(m_session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return taken == static_cast<ssize_t>(bytes.size());
}

std::string GrpcConnection::take_output() {
  std::string output;
  constexpr std::size_t k_enough = std::size_t{64} * 1024;
  while (output.size() < k_enough) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(m_session, &bytes);
    if (size <= 0) break;
    output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  return output;
}

bool GrpcConnection::is_over() const {
  return nghttp2_session_want_read(m_session) == 0 && nghttp2_session_want_write(m_session) == 0;
}

std::optional<GrpcConnection::Call> GrpcConnection::take_call() {
  while (!m_calls.empty()) {
    Call call = std::move(m_calls.front());
    m_calls.pop_front();
    if (waits(call.id)) return call;
  }
  return std::nullopt;
}

// The client has sent all of its request.
void GrpcConnection::finish_request(std::int32_t id) {
  const auto found = m_streams.find(id);
  if (found == m_streams.end()) return;
  auto& stream = found->second;
  constexpr std::string_view k_grpc = "application/grpc";
  if (stream.method != "POST" || stream.content_type.compare(0, k_grpc.size(), k_grpc) != 0) {
    const auto status = header(":status", "415");
    nghttp2_submit_response(m_session, id, &status, 1, nullptr);
    return;
  }
  if (stream.is_too_long) return refuse(id, GrpcStatus::resource_exhausted, "the message is too long");
  std::string_view body = stream.body;
  if (body.size() < k_prefix_length) return refuse(id, GrpcStatus::invalid_argument, "there is no message");
  std::size_t size = 0;
  for (std::size_t i = 1; i < k_prefix_length; ++i) size = size << 8U | static_cast<unsigned char>(body[i]);
  if (body.front() != '\0') return refuse(id, GrpcStatus::unimplemented, "the message is compressed");
  if (size != body.size() - k_prefix_length)
    return refuse(id, GrpcStatus::invalid_argument, "there is not one message");
  m_calls.push_back({id, stream.path, std::string(body.substr(k_prefix_length))});
  stream.body.clear();
  stream.body.shrink_to_fit();
}

void GrpcConnection::answer(std::int32_t id, std::string_view message) {
  const auto stream = m_streams.find(id);
  if (stream == m_streams.end()) return;
  stream->second.response = with_prefix(message);
  const std::array<nghttp2_nv, 2> headers = {header(":status", "200"),
                                             header("content-type", "application/grpc")};
  nghttp2_data_provider provider{};
  provider.read_callback = GrpcCallbacks::read_response;
  nghttp2_submit_response(m_session, id, headers.data(), headers.size(), &provider);
}

void GrpcConnection::refuse(std::int32_t id, GrpcStatus status, const std::string& why) {
  const std::string code = std::to_string(static_cast<int>(status));
  const std::string message = percent_encoded(why);
  const std::array<nghttp2_nv, 4> headers = {header(":status", "200"),
                                             header("content-type", "application/grpc"),
                                             header("grpc-status", code), header("grpc-message", message)};
  nghttp2_submit_response(m_session, id, headers.data(), headers.size(), nullptr);
}

}  // namespace local
