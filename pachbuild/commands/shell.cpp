// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>
#include <utility>
#include <variant>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/run_options.h"
#include "pachbuild/commands/run_report.h"
#include "pachbuild/local/session/session.h"
#include "process/terminal.h"
#include "report/report.h"
#include "report/usage.h"

namespace commands {
namespace {

constexpr char k_about_shell[] = R"(
Builds like run, prepares a datum as its program would find it, and opens a shell or runs COMMAND exactly where the
program would start: in its /pfs, environment and folder, and with --runtime in its image. Files in /pfs/out are listed
at the end and discarded; results, logs and the output of runs do not change. The exit code is that of the shell or
COMMAND. With several pipelines, choose one with --pipeline; the pipelines that it reads run first.

  pachbuild shell -f map.json --input scraper=pages --datum a.html
  pachbuild shell -f map.json --input scraper=pages -- sh /pfs/build/run.sh --verbose
)";

// Of a list of files that is longer, the rest is counted.
constexpr std::size_t k_files_shown = 20;
constexpr std::size_t k_longest_input = 200;

// While the person has the terminal nothing else is printed on it.
class QuietInShell final : public local::Events {
 public:
  explicit QuietInShell(local::Events& events) : m_events(events) {}
  void enter() { m_is_inside = true; }
  void leave() { m_is_inside = false; }
  void tell(const local::Event& event) override {
    if (std::holds_alternative<local::PipelineFails>(event.what)) leave();
    if (!m_is_inside) m_events.tell(event);
  }
  void tick() override {
    if (!m_is_inside) m_events.tick();
  }

 private:
  local::Events& m_events;
  std::atomic<bool> m_is_inside = false;
};

// As one would type it in the shell.
std::string program_of(const local::ShellBegins& begins) {
  const auto quoted = [](const std::vector<std::string>& words) {
    std::vector<std::string> all;
    for (const auto& word : words) all.push_back(base::shell_quote(word));
    return base::join(all, " ");
  };
  const std::string command = quoted(begins.program);
  const std::string input = quoted(begins.input_lines);
  if (input.empty()) return command;
  if (input.size() > k_longest_input) return command + ", with transform.stdin as its standard input";
  return "printf '%s\\n' " + input + " | " + command;
}

void tell_begin(const local::ShellBegins& begins, bool is_interactive) {
  report::info("shell: datum " + std::to_string(begins.datum.number) + " of " +
               std::to_string(begins.datums) + ", " + begins.datum.label + "; its program is " +
               program_of(begins) + (is_interactive ? "; leave with exit or Ctrl-D" : ""));
}

void tell_end(const local::ShellEnds& ends) {
  if (!ends.fault.empty()) report::warn("shell: a datum would fail with this output: " + ends.fault);
  if (ends.files.empty()) {
    if (ends.fault.empty()) report::info("shell: nothing was written to /pfs/out");
    return;
  }
  std::uint64_t bytes = 0;
  std::vector<std::string> shown;
  for (const auto& file : ends.files) {
    bytes += file.size;
    if (shown.size() < k_files_shown) shown.push_back(file.path + " (" + base::format_bytes(file.size) + ")");
  }
  report::info("shell: discarded from /pfs/out: " + base::count_of(ends.files.size(), "file") + ", " +
               base::format_bytes(bytes));
  for (const auto& line : shown) report::info("  " + line);
  if (ends.files.size() > shown.size())
    report::info("  and " + base::count_of(ends.files.size() - shown.size(), "more file"));
}

base::Result<int> open_shell(RunOptions& options, Invocation& invocation) {
  if (options.datums.size() > 1) {
    return base::fail(base::ErrorKind::usage, "--datum " + options.datums[1],
                      "pachbuild shell accepts only one --datum", "omit it, or --datum " + options.datums[0]);
  }
  BASE_TRY(options.data.settle(invocation));
  BASE_TRY_ASSIGN(auto prepared, options.prepare({}));
  auto& [plan, session] = prepared;
  assume_inputs(invocation, plan);
  show_assumed(invocation);
  auto command = invocation.after_dashes;
  BASE_TRY(options.data.check_one_pipeline(plan, "--pipeline", "is required"));
  RunReport report({.show_logs = false, .name_pipelines = plan.has_several_specs});
  QuietInShell events(report);
  const bool is_interactive = command.empty();
  local::ShellOptions shell{.command = std::move(command), .has_terminal = process::Terminal::is_there()};
  shell.begins = [&](const local::ShellBegins& begins) {
    tell_begin(begins, is_interactive);
    events.enter();
  };
  shell.ends = [&](const local::ShellEnds& ends) {
    events.leave();
    tell_end(ends);
  };
  session.shell = &shell;
  return local::run_session(plan, session, events);
}

}  // namespace

void add_shell(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RunOptions>();
  auto* verb = app.add_subcommand("shell", "Open a shell in place of a datum's program");
  options->add_to(*verb);
  options->data.add_job_to(*verb);
  report::add_usage_after_dashes(*verb, "COMMAND...");
  verb->footer(k_about_shell)->callback([options, &invocation] {
    invocation.action = [options, &invocation] { return open_shell(*options, invocation); };
  });
}

}  // namespace commands
