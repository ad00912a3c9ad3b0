// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/execution.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <optional>

#include "base/errors.h"
#include "base/files.h"
#include "contract/exit_codes.h"
#include "process/child.h"
#include "process/fork.h"

namespace local {
namespace {

namespace fs = base::fs;
using Clock = std::chrono::steady_clock;

// Standard input as a file in memory: a pipe could block us when the program does not read it.
base::Result<base::UniqueFd> standard_input(const std::string& text) {
  base::UniqueFd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (!file) return base::fail(base::system_error("create", "standard input", errno));
  BASE_TRY(base::write_all(file.get(), text, "standard input"));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// What a command prints, both streams through one pipe so that their order stays, on its way into the log.
// The command does not write there itself: a full disk must not become an error of the program's, and has to
// be told.
class LogPipe {
 public:
  static base::Result<LogPipe> make(int log) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return base::fail(base::system_error("create", "a pipe", errno));
    LogPipe pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1]), log};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
      return base::fail(base::system_error("create", "a pipe", errno));
    return pipe;
  }

  // For the command; given up once it has a copy.
  [[nodiscard]] int write_end() const { return m_write.get(); }
  void close_write_end() { m_write.reset(); }
  // For poll(); -1 when nobody can write to it any more.
  [[nodiscard]] int read_end() const { return m_read.get(); }

  // Moves what is there, one buffer full; false when there was nothing.
  bool move_some() {
    if (!m_read) return false;
    std::array<char, std::size_t{64} * 1024> buffer;
    const ssize_t count = ::read(m_read.get(), buffer.data(), buffer.size());
    if (count < 0) return errno == EINTR;
    if (count == 0) {
      m_read.reset();
      return false;
    }
    keep({buffer.data(), static_cast<std::size_t>(count)});
    return true;
  }

  // What is left when the command has ended. A process that left the command's group may print for ever: no
  // more is taken than a pipe can hold.
  void move_rest() {
    constexpr int k_buffers = 16;  // 1 MiB, the most that a pipe holds
    for (int i = 0; i < k_buffers && move_some(); ++i) {
    }
  }

  // Why the log ends before what was printed does; 0: it does not.
  [[nodiscard]] int error_number() const { return m_error; }

 private:
  LogPipe(base::UniqueFd read, base::UniqueFd write, int log)
      : m_read(std::move(read)), m_write(std::move(write)), m_log(log) {}

  void keep(std::string_view bytes) {
    while (!bytes.empty() && m_log >= 0 && m_error == 0) {
      const ssize_t count = ::write(m_log, bytes.data(), bytes.size());
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EINTR) {
        m_error = errno;
        if (base::is_full(m_error)) give_back_half();
      }
    }
  }

  // A log must not be what fills the disk: the outputs and what is known of them need room there too.
  void give_back_half() const {
    struct stat status{};
    if (::fstat(m_log, &status) != 0 || ::ftruncate(m_log, status.st_size / 2) != 0) return;
    constexpr std::string_view k_line = "\n[pachbuild: the disk was full; the rest of this log is missing]\n";
    static_cast<void>(!::write(m_log, k_line.data(), k_line.size()));
  }

  base::UniqueFd m_read;
  base::UniqueFd m_write;
  int m_log;
  int m_error = 0;
};

// The milliseconds until `deadline`, for poll(); -1: for ever.
int left_until(const std::optional<Clock::time_point>& deadline) {
  if (!deadline) return -1;
  // Rounded up, so as not to ask again and again during the last one.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

// Waits for the end of the command itself, not for that of others that hold its pipe; false when the time is
// up.
base::Result<bool> wait_for_end(const process::Child& child, LogPipe* pipe,
                                const std::optional<Clock::time_point>& deadline) {
  while (true) {
    std::array<pollfd, 2> entries{pollfd{child.descriptor(), POLLIN, 0},
                                  pollfd{pipe == nullptr ? -1 : pipe->read_end(), POLLIN, 0}};
    const int ready = ::poll(entries.data(), entries.size(), left_until(deadline));
    if (ready < 0 && errno != EINTR) return base::fail(base::system_error("watch", "a process", errno));
    if (ready > 0 && entries[0].revents != 0) return true;
    if (ready > 0 && entries[1].revents != 0) pipe->move_some();
    if (deadline && Clock::now() >= *deadline) return false;
  }
}

Execution failure(std::string reason, int exit_code) {
  return {TaskResult::failed, std::move(reason), exit_code};
}

Execution judge(const Task& task, const process::Ending& ending, bool timed_out) {
  if (timed_out) return failure(timeout_reason(task), ending.exit_code());
  const auto code = ending.code();
  const auto& accepted = task.accepted_codes;
  if (ending.succeeded() || (code && std::find(accepted.begin(), accepted.end(), *code) != accepted.end())) {
    return Execution{TaskResult::succeeded, "", ending.exit_code()};
  }
  return failure(ending.describe(), ending.exit_code());
}

// The program of a command, or why it cannot be started. As a worker's exec.Command (Go) finds it: a name in
// PATH, everything with a slash from the folder in which the command starts.
struct FoundProgram {
  std::string path;
  Execution failure;  // where there is no path
};

FoundProgram find_program(const Task& task, const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos;
  const fs::path folder = task.folder.empty() ? fs::current_path() : fs::path(task.folder);
  const std::string path = is_path ? fs::absolute(name, folder).string() : name;
  if (auto found = process::find_program(path, process::value_of(task.environment, "PATH")))
    return {*found, {}};
  if (is_path && ::access(path.c_str(), F_OK) == 0) {
    return {"",
            failure("cannot execute " + name + ": no execute permission", contract::k_command_not_runnable)};
  }
  const bool is_relative = is_path && name.front() != '/';
  return {"", failure("command not found: " + name + (is_relative ? " in " + folder.string() : ""),
                      contract::k_command_not_found)};
}

// One run of one command, to its end or to the time limit; then nothing of its group is left.
base::Result<Execution> run_once(const Task& task, const std::vector<std::string>& arguments,
                                 const std::string& input_text, const ExecutionOptions& options) {
  const auto program = find_program(task, arguments.at(0));
  if (program.path.empty()) return program.failure;

  BASE_TRY_ASSIGN(const base::UniqueFd input, standard_input(input_text));
  std::optional<LogPipe> pipe;
  if (!task.log.empty()) {
    BASE_TRY_ASSIGN(pipe, LogPipe::make(options.log));
  }
  const int printed = pipe ? pipe->write_end() : -1;
  process::Command command{.arguments = arguments,
                           .environment = task.environment,
                           .folder = task.folder,
                           .standard_input = input.get(),
                           .standard_output = printed,
                           .standard_error = printed};
  command.arguments[0] = program.path;
  const bool is_limited = task.timeout_ms > 0;
  if (is_limited) BASE_TRY(options.running(true));
  auto child = process::Child::start(command);
  if (!child) return failure(child.error().what, contract::k_command_not_runnable);
  if (pipe) pipe->close_write_end();

  std::optional<Clock::time_point> deadline;
  if (is_limited) deadline = Clock::now() + std::chrono::milliseconds(task.timeout_ms);
  BASE_TRY_ASSIGN(const bool has_ended, wait_for_end(*child, pipe ? &*pipe : nullptr, deadline));
  // Whoever is left of the group, while its number cannot be another's yet.
  child->signal_group(SIGKILL);
  BASE_TRY_ASSIGN(const process::Ending ending, child->wait());
  process::reap_orphans();
  if (is_limited) BASE_TRY(options.running(false));
  if (pipe) pipe->move_rest();

  Execution execution = judge(task, ending, !has_ended);
  if (pipe) execution.log_errno = pipe->error_number();
  return execution;
}

}  // namespace

base::Result<Execution> execute(const Task& task, const ExecutionOptions& options) {
  int log_errno = 0;  // the first of all runs
  const auto run = [&](const std::vector<std::string>& arguments,
                       const std::string& input) -> base::Result<Execution> {
    BASE_TRY_ASSIGN(Execution execution, run_once(task, arguments, input, options));
    if (log_errno == 0) log_errno = execution.log_errno;
    execution.log_errno = log_errno;
    return execution;
  };
  for (int attempt = 1;; ++attempt) {
    BASE_TRY_ASSIGN(Execution execution, run(task.command, task.standard_input));
    if (execution.result == TaskResult::succeeded) return execution;
    if (!task.error_command.empty()) {
      BASE_TRY_ASSIGN(const Execution recovery, run(task.error_command, task.error_standard_input));
      execution.log_errno = recovery.log_errno;
      if (recovery.result == TaskResult::succeeded) {
        execution.result = TaskResult::recovered;
        return execution;
      }
    }
    if (attempt >= task.tries) return execution;
    BASE_TRY(options.between_tries());
  }
}

}  // namespace local
