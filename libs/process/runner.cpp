// SPDX-License-Identifier: Apache-2.0
#include "process/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

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
  std::array<pollfd, 2> entries{pollfd{child.descriptor(), POLLIN, 0},
                                pollfd{interruption == nullptr ? -1 : interruption->descriptor(), POLLIN, 0}};
  while (entries[0].revents == 0) {
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
      return base::fail(base::system_error("watch", "a process", errno));
    }
    if (entries[1].revents != 0 && interruption->take()) return base::fail(base::interrupted());
  }
  return {};
}

// What is in the pipe now; nobody is waited for.
template <class Append>
base::Status drain_rest(base::UniqueFd& pipe, Append append) {
  while (pipe) {
    pollfd entry{pipe.get(), POLLIN, 0};
    if (::poll(&entry, 1, 0) <= 0) return {};
    BASE_TRY(drain(pipe, append));
  }
  return {};
}

using Clock = std::chrono::steady_clock;

// How long a process that was told to end may clean up before it is killed.
constexpr std::chrono::seconds k_grace{5};

// One process and what it prints, from its start to its end.
class Run {
 public:
  Run(const Command& command, const ErrorSink& sink, Interruption* interruption)
      : m_command(command), m_sink(sink), m_interruption(interruption) {}

  base::Result<Finished> finish() {
    BASE_TRY_ASSIGN(Pipe output, make_pipe());
    BASE_TRY_ASSIGN(Pipe errors, make_pipe());
    Command piped = m_command;
    piped.standard_output = output.write.get();
    piped.standard_error = errors.write.get();
    BASE_TRY_ASSIGN(Child child, Child::start(piped));
    m_output = std::move(output.read);
    m_errors = std::move(errors.read);
    output.write.reset();
    errors.write.reset();
    BASE_TRY(m_command.ends_its_group ? read_until_end(child) : read_all(child));
    BASE_TRY_ASSIGN(const Ending ending, child.wait());
    if (m_kill_time) return base::fail(base::interrupted());
    return Finished{ending, std::move(m_output_text), std::move(m_error_text)};
  }

 private:
  enum class Event { output, end };

  // To the end of both pipes, whoever holds them, and of the process.
  base::Status read_all(Child& child) {
    while (m_output || m_errors) {
      BASE_TRY(read_once(-1));
      if (m_is_interrupted) return base::fail(base::interrupted());
    }
    // A tool may close its output and go on.
    return wait_for_end(child, m_interruption);
  }

  base::Status read_until_end(Child& child) {
    while (true) {
      BASE_TRY_ASSIGN(const Event event, read_once(child.descriptor()));
      if (event == Event::end) break;
      if (m_is_interrupted) pass_signal_on(child);
      if (m_kill_time && Clock::now() >= *m_kill_time) child.signal_group(SIGKILL);
    }
    // The process is not waited for yet, so the group's number is still its own.
    child.signal_group(SIGKILL);
    BASE_TRY(drain_rest(m_output, [&](std::string_view bytes) { m_output_text += bytes; }));
    return drain_rest(m_errors, [&](std::string_view bytes) { take_error(bytes); });
  }

  // Who insists does not wait.
  void pass_signal_on(const Child& child) {
    m_is_interrupted = false;
    if (m_kill_time) {
      child.signal_group(SIGKILL);
      return;
    }
    child.signal_group(m_interruption->signal().value_or(SIGTERM));
    m_kill_time = Clock::now() + k_grace;
  }

  // Waits until something happens, or until it is time to kill.
  base::Result<Event> read_once(int end) {
    const int signals = m_interruption == nullptr ? -1 : m_interruption->descriptor();
    std::array<pollfd, 4> entries{pollfd{m_output.get(), POLLIN, 0}, pollfd{m_errors.get(), POLLIN, 0},
                                  pollfd{signals, POLLIN, 0}, pollfd{end, POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), milliseconds_left()) < 0) {
      if (errno == EINTR) return Event::output;
      return base::fail(base::system_error("watch", m_command.arguments.at(0), errno));
    }
    if (entries[2].revents != 0 && m_interruption->take()) m_is_interrupted = true;
    if (entries[0].revents != 0)
      BASE_TRY(drain(m_output, [&](std::string_view bytes) { m_output_text += bytes; }));
    if (entries[1].revents != 0)
      BASE_TRY(drain(m_errors, [&](std::string_view bytes) { take_error(bytes); }));
    return entries[3].revents != 0 ? Event::end : Event::output;
  }

  [[nodiscard]] int milliseconds_left() const {
    if (!m_kill_time) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*m_kill_time - Clock::now()).count();
    // After it was killed its end is near.
    return left > 0 ? static_cast<int>(left) : -1;
  }

  void take_error(std::string_view bytes) {
    m_error_text += bytes;
    if (m_sink) m_sink(bytes);
  }

  const Command& m_command;
  const ErrorSink& m_sink;
  Interruption* m_interruption;
  base::UniqueFd m_output;
  base::UniqueFd m_errors;
  std::string m_output_text;
  std::string m_error_text;
  bool m_is_interrupted = false;  // by a signal that was not passed on yet
  std::optional<Clock::time_point> m_kill_time;
};

}  // namespace

base::Result<Finished> SystemRunner::run(const Command& command, const ErrorSink& sink) {
  return Run(command, sink, m_interruption).finish();
}

}  // namespace process
