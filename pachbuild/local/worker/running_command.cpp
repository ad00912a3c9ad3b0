// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/running_command.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <csignal>
#include <limits>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "contract/exit_codes.h"
#include "process/fork.h"

namespace local {
namespace {

namespace fs = base::fs;
using Clock = RunningCommand::Clock;

// Standard input as a file in memory: a pipe could block us when the program does not read it.
base::Result<base::UniqueFd> standard_input(const std::string& text) {
  base::UniqueFd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (!file) return base::fail(base::system_error("create", "standard input", errno));
  BASE_TRY(base::write_all(file.get(), text, "standard input"));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// The milliseconds until `deadline`, for poll(); -1: for ever.
int left_until(const std::optional<Clock::time_point>& deadline) {
  if (!deadline) return -1;
  // Rounded up, so as not to ask again and again during the last one.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

// The program of a command, or why it cannot be started. As a worker's exec.Command (Go) finds it: a name in
// PATH, everything with a slash from the folder in which the command starts.
struct FoundProgram {
  std::string path;
  Execution failure;  // where there is no path
};

FoundProgram find_program(const RunningCommand::Program& program) {
  const std::string& name = program.arguments.at(0);
  const bool is_path = base::contains(name, '/');
  const fs::path folder = program.folder.empty() ? fs::current_path() : fs::path(program.folder);
  const std::string path = is_path ? fs::absolute(name, folder).string() : name;
  if (auto found = process::find_program(path, process::value_of(program.environment, "PATH")))
    return {*found, {}};
  if (is_path && ::access(path.c_str(), F_OK) == 0) {
    return {"", Execution::failure("cannot execute " + name + ": no execute permission",
                                   contract::k_command_not_runnable)};
  }
  const bool is_relative = is_path && name.front() != '/';
  std::string fault = name + ": command not found" + (is_relative ? " in " + folder.string() : "");
  // A command line where a program is wanted.
  const bool is_plain = name.find_first_of("\"'\\$`|&;<>()") == std::string::npos;
  if (const auto words = base::words(name); is_plain && words.size() > 1 && program.arguments.size() == 1)
    fault += R"(; write each word as a string of its own: [")" + base::join(words, R"(", ")") + R"("])";
  return {"", Execution::failure(fault, contract::k_command_not_found)};
}

}  // namespace

base::Result<std::variant<RunningCommand, Execution>> RunningCommand::start(const Program& program) {
  auto found = find_program(program);
  if (found.path.empty()) return std::move(found.failure);

  BASE_TRY_ASSIGN(const base::UniqueFd input, standard_input(program.standard_input));
  std::optional<LogPipe> log;
  if (program.log) {
    BASE_TRY_ASSIGN(log, LogPipe::make(*program.log));
  }
  const int printed = log ? log->write_end() : -1;
  const auto streams = program.streams.value_or(std::array{input.get(), printed, printed});
  process::Command command{.arguments = program.arguments,
                           .environment = program.environment,
                           .folder = program.folder,
                           .standard_input = streams[0],
                           .standard_output = streams[1],
                           .standard_error = streams[2],
                           .owns_terminal = program.owns_terminal};
  command.arguments[0] = found.path;
  auto child = process::Child::start(command);
  if (!child) return Execution::failure(child.error().what, contract::k_command_not_runnable);
  if (log) log->close_write_end();
  return RunningCommand(std::move(*child), std::move(log));
}

base::Result<RunningCommand::Event> RunningCommand::wait(const std::optional<Clock::time_point>& deadline,
                                                         int other) {
  while (true) {
    std::array<pollfd, 3> entries{pollfd{m_child.descriptor(), POLLIN, 0}, pollfd{other, POLLIN, 0},
                                  pollfd{m_log ? m_log->read_end() : -1, POLLIN, 0}};
    const int ready = ::poll(entries.data(), entries.size(), left_until(deadline));
    if (ready < 0 && errno != EINTR) return base::fail(base::system_error("watch", "a process", errno));
    if (ready > 0 && entries[1].revents != 0) return Event::other;
    if (ready > 0 && entries[0].revents != 0) return Event::ended;
    if (ready > 0 && entries[2].revents != 0) m_log->move_some();
    if (deadline && Clock::now() >= *deadline) return Event::timed_out;
  }
}

base::Result<process::Ending> RunningCommand::end() {
  // Whoever is left of the group, while its number cannot be another's yet.
  m_child.signal_group(SIGKILL);
  BASE_TRY_ASSIGN(const process::Ending ending, m_child.wait());
  static_cast<void>(process::reap_orphans());
  if (m_log) m_log->move_rest();
  return ending;
}

}  // namespace local
