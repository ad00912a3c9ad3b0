// SPDX-License-Identifier: Apache-2.0
#include "process/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/stop.h"

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
base::Status drain(base::UniqueFd& pipe, const std::function<void(std::string_view)>& append) {
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

// What is in the pipe now; nobody is waited for.
template <class Append>
base::Status drain_rest(base::UniqueFd& pipe, const Append& append) {
  while (pipe) {
    pollfd entry{pipe.get(), POLLIN, 0};
    if (::poll(&entry, 1, 0) <= 0) return {};
    BASE_TRY(drain(pipe, append));
  }
  return {};
}

// How long a signal that somebody else has taken may stay unseen, in milliseconds.
constexpr int k_between_looks = 100;

base::Error out_of_time(const Command& command) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(command.time_limit).count();
  return {base::ErrorKind::unavailable, base::name_of(command.arguments.at(0)),
          "did not answer within " + std::to_string(seconds) + " s", ""};
}

// For poll(): the milliseconds that are left, at least 0; -1 without a deadline.
int milliseconds_until(const std::optional<std::chrono::steady_clock::time_point>& deadline) {
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

base::Result<std::optional<SystemRunner::Time>> SystemRunner::deadline_of() {
  // A loop that asks base::check_stop() may have met the signal before.
  if (m_signals == 0 && m_interruption != nullptr && m_interruption->was_noticed()) begin_cleanup();
  if (m_signals == 0) return std::nullopt;
  if (m_signals > 1 || std::chrono::steady_clock::now() >= m_cleanup_end)
    return base::fail(base::interrupted());
  return m_cleanup_end;
}

void SystemRunner::begin_cleanup() {
  m_signals = 1;
  m_cleanup_end = std::chrono::steady_clock::now() + m_patience.end + m_patience.cleanup;
}

base::Result<SystemRunner::Time> SystemRunner::interrupt(const Child& child) {
  const auto now = std::chrono::steady_clock::now();
  if (m_signals > 0) {
    ++m_signals;  // with the second one nothing is started any more
    return base::fail(base::interrupted());
  }
  begin_cleanup();
  if (m_patience.end.count() == 0) return base::fail(base::interrupted());
  child.signal_group(*m_interruption->signal());
  return now + m_patience.end;
}

// Whoever returns early here kills the child and its group: the destructor of Child does.
base::Result<Ending> SystemRunner::watch(Child child, const Command& command, std::optional<Time> deadline,
                                         Streams& streams) {
  const int interruption = m_interruption == nullptr ? -1 : m_interruption->descriptor();
  bool was_interrupted = false;
  bool has_ended = false;
  std::optional<Time> limit;
  if (command.time_limit.count() > 0) limit = std::chrono::steady_clock::now() + command.time_limit;
  const auto goes_on = [&] {
    return !has_ended || (!command.ends_its_group && (streams.output || streams.errors));
  };
  while (goes_on()) {
    std::array<pollfd, 4> entries{pollfd{streams.output.get(), POLLIN, 0},
                                  pollfd{streams.errors.get(), POLLIN, 0}, pollfd{interruption, POLLIN, 0},
                                  pollfd{has_ended ? -1 : child.descriptor(), POLLIN, 0}};
    int wait = milliseconds_until(deadline && limit ? std::min(*deadline, *limit) : limit ? limit : deadline);
    // Another thread may take the signal away before this one sees it.
    const bool can_miss = interruption >= 0 && m_signals == 0;
    if (can_miss && (wait < 0 || wait > k_between_looks)) wait = k_between_looks;
    const int ready = ::poll(entries.data(), entries.size(), wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return base::fail(base::system_error("watch", command.arguments.at(0), errno));
    const auto now = std::chrono::steady_clock::now();
    if (deadline && now >= *deadline) return base::fail(base::interrupted());
    if (limit && now >= *limit) return base::fail(out_of_time(command));
    const bool has_signal = entries[2].revents != 0 && m_interruption->take();
    if (has_signal || (can_miss && m_interruption->was_noticed())) {
      BASE_TRY_ASSIGN(deadline, interrupt(child));
      was_interrupted = true;
    }
    if (entries[0].revents != 0) BASE_TRY(drain(streams.output, streams.on_output));
    if (entries[1].revents != 0) BASE_TRY(drain(streams.errors, streams.on_errors));
    has_ended = has_ended || entries[3].revents != 0;
  }
  // What of its group goes on, or has ignored the signal, goes with it. The child is not waited for yet, so
  // the group's number is still its own.
  if (was_interrupted || command.ends_its_group) child.signal_group(SIGKILL);
  BASE_TRY(drain_rest(streams.output, streams.on_output));
  BASE_TRY(drain_rest(streams.errors, streams.on_errors));
  BASE_TRY_ASSIGN(const Ending ending, child.wait());
  if (was_interrupted) return base::fail(base::interrupted());
  return ending;
}

base::Result<Finished> SystemRunner::run(const Command& command, const ErrorSink& sink) {
  BASE_TRY_ASSIGN(const auto deadline, deadline_of());
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
  Streams streams{.output = std::move(output.read),
                  .errors = std::move(errors.read),
                  .on_output = [&](std::string_view bytes) { output_text += bytes; },
                  .on_errors =
                      [&](std::string_view bytes) {
                        error_text += bytes;
                        if (sink) sink(bytes);
                      }};
  BASE_TRY_ASSIGN(const Ending ending, watch(std::move(child), command, deadline, streams));
  return Finished{ending, std::move(output_text), std::move(error_text)};
}

base::Result<Ending> SystemRunner::run_in_view(const Command& command) {
  BASE_TRY_ASSIGN(const auto deadline, deadline_of());
  BASE_TRY_ASSIGN(Child child, Child::start(command));
  Streams none;
  return watch(std::move(child), command, deadline, none);
}

}  // namespace process
