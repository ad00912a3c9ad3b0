// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/attended_run.h"

#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "base/unique_fd.h"
#include "pachbuild/local/worker/running_command.h"
#include "process/terminal.h"

namespace local {
namespace {

base::Error lost_pool() { return {base::ErrorKind::io, "", "the pool has gone"}; }

// The descriptors that came for the command's streams; one that did not come is the terminal `far`.
struct Streams {
  std::array<base::UniqueFd, 3> received;
  std::array<int, 3> descriptors{};
};

base::Result<Streams> receive_streams(Channel& channel, int far) {
  Streams streams;
  for (std::size_t i = 0; i < streams.received.size(); ++i) {
    BASE_TRY_ASSIGN(const auto message, channel.receive());
    if (!message) return base::fail(lost_pool());
    streams.received.at(i) = channel.take_descriptor();
    streams.descriptors.at(i) = streams.received.at(i) ? streams.received.at(i).get() : far;
  }
  return streams;
}

base::Status wait_for_end(RunningCommand& command, Channel& channel) {
  while (true) {
    BASE_TRY_ASSIGN(const auto event, command.wait(std::nullopt, channel.descriptor()));
    if (event == RunningCommand::Event::ended) return {};
    BASE_TRY_ASSIGN(const auto message, channel.receive());
    if (!message) return base::fail(lost_pool());
    if (const auto signal = decode_signal(*message)) command.send_signal(*signal);
  }
}

}  // namespace

base::Result<Execution> run_attended(const Task& task, Channel& channel) {
  process::Pty pty;
  if (task.has_terminal) {
    BASE_TRY_ASSIGN(pty, process::Pty::open());
  }
  BASE_TRY(channel.send(encode_ready(), pty.near ? pty.near.get() : -1));
  pty.near.reset();
  BASE_TRY_ASSIGN(auto streams, receive_streams(channel, pty.far ? pty.far.get() : -1));
  const auto environment = environment_of(task);
  BASE_TRY_ASSIGN(auto started, RunningCommand::start({.arguments = task.command,
                                                       .environment = environment,
                                                       .folder = task.folder,
                                                       .standard_input = "",
                                                       .log = std::nullopt,
                                                       .streams = streams.descriptors,
                                                       .owns_terminal = task.has_terminal}));
  // Who shows what is printed sees the end of it when the command and all that it has started are gone.
  streams = {};
  pty.far.reset();
  if (auto* const failed = std::get_if<Execution>(&started)) return std::move(*failed);
  auto& command = std::get<RunningCommand>(started);
  BASE_TRY(wait_for_end(command, channel));
  BASE_TRY_ASSIGN(const auto ending, command.end());
  return Execution{TaskResult::succeeded, "", ending.exit_code()};
}

}  // namespace local
