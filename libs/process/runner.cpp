// SPDX-License-Identifier: Apache-2.0
#include "process/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/errors.h"
#include "base/stop.h"
#include "process/child.h"

namespace process {
namespace {

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(base::system_error("create", "a pipe", errno));
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

// Reads once from a pipe that poll() reported; gives it up at its end.
template <class Append>
base::Status drain(base::UniqueFd& pipe, Append append) {
  std::array<char, 16384> buffer{};
  const ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return {};
  if (count < 0) return base::fail(base::system_error("read", "a pipe", errno));
  if (count == 0) {
    pipe.reset();
  } else {
    append(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
  }
  return {};
}

base::Status wait_for_end(const Child& child, Interruption* interruption) {
  std::array<pollfd, 2> entries{
      pollfd{child.descriptor(), POLLIN, 0},
      pollfd{interruption == nullptr ? -1 : interruption->descriptor(), POLLIN, 0}};
  while (entries[0].revents == 0) {
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
      return base::fail(base::system_error("watch", "a process", errno));
    }
    if (entries[1].revents != 0 && interruption->take()) return base::fail(base::interrupted());
  }
  return {};
}

}  // namespace

base::Result<Finished> SystemRunner::run(const Command& command, const ErrorSink& sink) {
  const int interruption = m_interruption == nullptr ? -1 : m_interruption->descriptor();
  BASE_TRY_ASSIGN(Pipe output, make_pipe());
  BASE_TRY_ASSIGN(Pipe errors, make_pipe());
  Command piped = command;
  piped.standard_output = output.write.get();
  piped.standard_error = errors.write.get();
  BASE_TRY_ASSIGN(Child child, Child::start(piped));
  output.write.reset();
  errors.write.reset();

  std::string output_text;
  std::string error_text;
  while (output.read || errors.read) {
    std::array<pollfd, 3> entries{pollfd{output.read.get(), POLLIN, 0}, pollfd{errors.read.get(), POLLIN, 0},
                                  pollfd{interruption, POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return base::fail(base::system_error("watch", piped.arguments.at(0), errno));
    }
    if (entries[2].revents != 0 && m_interruption->take()) {
      return base::fail(base::interrupted());
    }
    if (entries[0].revents != 0) {
      BASE_TRY(drain(output.read, [&](std::string_view bytes) { output_text += bytes; }));
    }
    if (entries[1].revents != 0) {
      BASE_TRY(drain(errors.read, [&](std::string_view bytes) {
        error_text += bytes;
        if (sink) sink(bytes);
      }));
    }
  }
  // A tool may close its output and go on.
  BASE_TRY(wait_for_end(child, m_interruption));
  BASE_TRY_ASSIGN(const Ending ending, child.wait());
  return Finished{ending, std::move(output_text), std::move(error_text)};
}

}  // namespace process
