// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/shell.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "contract/build_record.h"
#include "contract/layout.h"
#include "process/command.h"
#include "process/terminal.h"

namespace local {
namespace {

namespace fs = base::fs;

// The first of these that an image has.
constexpr char k_shell_of_image[] = "if command -v bash > /dev/null; then exec bash; fi; exec sh";

// For bash in the place of ~/.bashrc: what a person has there puts folders of its own first, and the prompt
// should show where one is.
constexpr char k_bash_start[] = R"sh(pachbuild_path=$PATH
[ ! -f ~/.bashrc ] || . ~/.bashrc
PATH=$pachbuild_path
unset pachbuild_path
PS1="(pachbuild) $PS1"
)sh";

// A command that was hung up on gets this time.
constexpr int k_patience_ms = 1'000;

std::string variable(const char* name) { return process::value_of(process::current_environment(), name); }

bool is_readable_within(int descriptor, int milliseconds) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) > 0;
}

// Each signal to this program is one to the command.
base::Status pass_signals(AttendedCommand& command, process::Interruption& interruption) {
  while (true) {
    std::array<pollfd, 2> entries{pollfd{command.ended(), POLLIN, 0},
                                  pollfd{interruption.descriptor(), POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR)
      return base::fail(base::system_error("watch", "the command", errno));
    if (entries[0].revents != 0) return {};
    if (const auto signal = interruption.divert()) BASE_TRY(command.send_signal(*signal));
  }
}

}  // namespace

base::Result<std::vector<std::string>> find_shell(bool in_container, const fs::path& folder) {
  if (in_container) return std::vector<std::string>{"sh", "-c", k_shell_of_image};
  const std::string shell = variable("SHELL");
  if (shell.empty() || shell.front() != '/' || ::access(shell.c_str(), X_OK) != 0)
    return std::vector<std::string>{"sh"};
  if (base::name_of(shell) != "bash") return std::vector<std::string>{shell};
  const fs::path start = folder / "bash-start";
  BASE_TRY(base::write_file(start, k_bash_start, 0600));
  return std::vector<std::string>{shell, "--rcfile", start.string()};
}

std::string start_folder_of_artifact(const std::string& build_record, const spec::Transform& transform) {
  const auto record = contract::parse_build_record(build_record, contract::k_record);
  if (!record || (record->starts_in.is_default && !transform.working_dir.empty())) return "";
  return record->starts_in.folder;
}

Task attended_task(Task task, std::vector<std::string> command, bool has_terminal) {
  task.attended = true;
  task.has_terminal = has_terminal;
  task.command = std::move(command);
  task.log.clear();
  task.batching = false;
  for (auto& input : task.inputs) input.resident = false;
  // What programs with a terminal want to know.
  if (has_terminal) {
    for (const char* name : {"TERM", "COLORTERM"}) {
      if (const auto value = variable(name); !value.empty()) task.environment.emplace(name, value);
    }
  }
  return task;
}

base::Status attend(AttendedCommand& command, bool has_terminal, process::Interruption& interruption) {
  if (!has_terminal) {
    BASE_TRY(command.start({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}));
    return pass_signals(command, interruption);
  }
  BASE_TRY_ASSIGN(auto terminal, process::Terminal::take());
  terminal.equip(command.terminal());
  BASE_TRY(command.start({-1, -1, ::isatty(STDERR_FILENO) == 1 ? -1 : STDERR_FILENO}));
  BASE_TRY_ASSIGN(const auto end,
                  terminal.serve(command.terminal(), command.ended(), interruption.descriptor()));
  if (end == process::Terminal::End::program) return {};
  command.hang_up();
  const bool has_ended = is_readable_within(command.ended(), k_patience_ms);
  if (end == process::Terminal::End::hang_up && has_ended) return {};
  return base::fail(base::interrupted());
}

}  // namespace local
