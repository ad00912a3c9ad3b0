// SPDX-License-Identifier: Apache-2.0
// What comes over the port at which a program takes its datums: any bytes.
#include <algorithm>
#include <string>

#include "pachbuild/local/batch/grpc_connection.h"
#include "pachbuild/local/batch/next_datum.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

void decode_request(std::string_view message) {
  const auto error = local::decode_next_datum_request(message);
  require(!error || error->size() <= message.size());
  // What is sent is read: an environment with one variable has the form of a request with an error.
  const std::string text(message.substr(0, 300));
  const auto response = local::encode_next_datum_response({{"N", text}});
  const auto sent = local::decode_next_datum_request(response);
  require(response.empty() || (sent && *sent == "N=" + text));
}

// The connection in two pieces, with every call answered or refused.
void serve_connection(std::string_view bytes) {
  const auto first = std::min(fuzz::take_choice(bytes, 256), bytes.size());
  local::GrpcConnection connection;
  for (const auto piece : {bytes.substr(0, first), bytes.substr(first)}) {
    if (!connection.receive(piece)) return;
    while (const auto call = connection.take_call()) {
      require(call->message.size() <= bytes.size());
      require(connection.waits(call->id));
      if (call->message.size() % 2 == 0) {
        connection.answer(call->id, call->message);
      } else {
        connection.refuse(call->id, local::GrpcStatus::unknown, call->path);
      }
    }
    std::size_t sent = 0;
    for (auto output = connection.take_output(); !output.empty(); output = connection.take_output())
      sent += output.size();
    require(sent <= 64 * bytes.size() + 1024);
  }
}

}  // namespace

FUZZ_TARGET(batch_fuzz, input) {
  switch (fuzz::take_choice(input, 3)) {
    case 0:
      return decode_request(input);
    case 1:
      return serve_connection(std::string("0PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").append(input));
    default:
      return serve_connection(input);
  }
}
