// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/show_run.h"

#include <poll.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pachbuild/commands/run_report.h"
#include "pachbuild/view/json_events.h"
#include "pachbuild/view/live_view.h"
#include "pachbuild/view/source_names.h"
#include "report/report.h"
#include "report/terminal.h"

namespace commands {
namespace {

// What the programs of the pipelines call the files of their sources.
std::map<std::string, view::SourceNames> source_names(const local::Plan& plan) {
  const bool has_links = report::is_terminal() && report::has_hyperlinks();
  std::map<std::string, view::SourceNames> names;
  boost::system::error_code error;
  const auto current = base::fs::current_path(error);
  for (const auto& pipeline : plan.pipelines) {
    if (!spec::is_built(pipeline.spec.transform)) continue;
    names.emplace(pipeline.spec.name,
                  view::SourceNames(pipeline.spec.transform.build.folder, current, has_links));
  }
  return names;
}

void print_event(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

// Ends the run when the program that reads its events has gone: a notebook's kernel that was killed cannot
// say that it wants nothing more. SIGPIPE would end this process alone, and leave what is half done.
class ReaderWatch final : public local::Events {
 public:
  ReaderWatch() { ::signal(SIGPIPE, SIG_IGN); }
  void tell(const local::Event&) override {}
  void tick() override {
    pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (m_is_there && ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0) {
      m_is_there = false;
      ::kill(::getpid(), SIGHUP);
    }
  }

 private:
  bool m_is_there = true;
};

}  // namespace

base::Result<int> show_run(const local::Plan& plan, local::SessionOptions session, const Shown& shown,
                           const std::vector<std::reference_wrapper<local::Events>>& others) {
  const auto drawn = shown.quiet || shown.json ? nullptr : view::make_terminal_view();
  RunReport report({.show_logs = shown.logs,
                    .explain = shown.explain,
                    .name_pipelines = plan.has_several_specs,
                    .amount = shown.quiet     ? RunReport::Amount::failures
                              : shown.verbose ? RunReport::Amount::everything
                                              : RunReport::Amount::usual,
                    .is_drawn = drawn != nullptr,
                    .names = source_names(plan)});
  std::vector<std::reference_wrapper<local::Events>> listeners = {report};
  listeners.insert(listeners.end(), others.begin(), others.end());
  std::optional<view::JsonEvents> events;
  std::optional<ReaderWatch> reader;
  if (shown.json) {
    listeners.emplace_back(events.emplace(print_event, shown.logs));
    listeners.emplace_back(reader.emplace());
  }
  if (drawn) listeners.emplace_back(*drawn);
  if (drawn || events) session.printed = local::Printed::newest;
  if (shown.logs) session.printed = local::Printed::all;
  local::AllEvents all(std::move(listeners));
  auto code = local::run_session(plan, session, all);
  if (events) events->finish(code ? *code : static_cast<int>(code.error().kind));
  return code;
}

}  // namespace commands
