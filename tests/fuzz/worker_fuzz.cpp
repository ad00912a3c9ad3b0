// SPDX-License-Identifier: Apache-2.0
// What a worker says to its pool. Programs run beside the worker and may have got at its socket: any bytes
// are a message or none.
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/pool/task.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;
using local::TaskResult;

void decode(const std::string& message) {
  const auto outcome = local::decode_outcome(message);
  require(!outcome || !local::decode_running(message));
  if (!outcome) return;
  require(outcome->result == TaskResult::succeeded || outcome->result == TaskResult::recovered ||
          outcome->result == TaskResult::failed || outcome->result == TaskResult::never_asked);
  // What becomes the exit code of pachbuild is one of a failure.
  if (outcome->error) {
    const auto code = static_cast<int>(outcome->error->kind);
    require(code > 0 && code < 126);
  }
  const std::string encoded = local::encode(*outcome);
  const auto again = local::decode_outcome(encoded);
  require(again && local::encode(*again) == encoded);
}

// Bytes as they come over the socket.
void receive(std::string_view bytes) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  local::Channel channel{base::UniqueFd(ends[0])};
  base::UniqueFd other(ends[1]);
  // More would wait for a reader.
  require(base::write_all(other.get(), bytes.substr(0, 50'000), "socket").has_value());
  other.reset();
  while (true) {
    const auto message = channel.receive();
    if (!message) return fuzz::require_readable(message.error());
    if (!*message) return;
    require((*message)->size() <= bytes.size());
  }
}

}  // namespace

FUZZ_TARGET(worker_fuzz, input) {
  switch (fuzz::take_choice(input, 2)) {
    case 0:
      return decode(std::string(input));
    default:
      return receive(input);
  }
}
