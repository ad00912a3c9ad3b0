// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "about/version.h"
#include "base/json_text.h"
#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/doctor/examination.h"

namespace commands {
namespace {

using doctor::State;
using nlohmann::json;

constexpr char k_about_doctor[] = R"(
Each line is ok, a note about something optional, or a warning or problem with a fix; the exit code is 69 if there is a
problem. Passwords are hidden, so the output can be attached to a bug report.

  pachbuild doctor
  pachbuild doctor --network --cluster
  pachbuild doctor -o json
)";

struct DoctorOptions {
  std::string format;
  doctor::Scope scope;
};

constexpr std::array k_states = {"ok", "note", "warning", "problem"};

const char* name_of(State state) { return k_states.at(static_cast<std::size_t>(state)); }

std::size_t count_of(const std::vector<doctor::Group>& groups, State state) {
  std::size_t count = 0;
  for (const auto& group : groups) {
    count += static_cast<std::size_t>(std::count_if(group.findings.begin(), group.findings.end(),
                                                    [&](const auto& one) { return one.state == state; }));
  }
  return count;
}

std::string padded(std::string text, std::size_t columns) {
  if (text.size() < columns) text.append(columns - text.size(), ' ');
  return text;
}

void print_findings(const std::vector<doctor::Group>& groups) {
  std::size_t width = 0;
  for (const auto& group : groups) {
    for (const auto& finding : group.findings) width = std::max(width, finding.check.size());
  }
  constexpr std::size_t k_state_width = sizeof "warning" - 1;
  for (const auto& group : groups) {
    print_line(group.name);
    for (const auto& finding : group.findings) {
      print_line("  " + padded(name_of(finding.state), k_state_width) + " " + padded(finding.check, width) +
                 "  " + finding.what);
      if (!finding.fix.empty()) print_line("  " + std::string(k_state_width, ' ') + " fix: " + finding.fix);
    }
  }
  const auto problems = count_of(groups, State::problem);
  const auto warnings = count_of(groups, State::warning);
  print_line(problems + warnings == 0
                 ? "everything is ok"
                 : base::count_of(problems, "problem") + ", " + base::count_of(warnings, "warning"));
}

void print_json(const std::vector<doctor::Group>& groups) {
  json checks = json::array();
  for (const auto& group : groups) {
    for (const auto& finding : group.findings) {
      checks.push_back({{"group", group.name},
                        {"check", finding.check},
                        {"state", name_of(finding.state)},
                        {"what", finding.what},
                        {"fix", finding.fix}});
    }
  }
  const json all = {{"version", about::version_line("pachbuild")},
                    {"problems", count_of(groups, State::problem)},
                    {"warnings", count_of(groups, State::warning)},
                    {"checks", std::move(checks)}};
  std::fputs(base::json_lines(all).c_str(), stdout);
}

base::Result<int> examine(const DoctorOptions& options) {
  // A check that hangs outlives this function.
  static process::SystemRunner runner;
  boost::system::error_code error;
  const auto program = base::fs::read_symlink("/proc/self/exe", error);
  const auto machine = std::make_shared<const doctor::Machine>(
      doctor::Machine{.environment = process::current_environment(), .runner = &runner, .program = program});
  const auto groups = doctor::examine(doctor::checks_of(machine, options.scope), doctor::k_check_patience);
  if (options.format == "json") {
    print_json(groups);
  } else {
    print_findings(groups);
  }
  return count_of(groups, State::problem) == 0 ? 0 : static_cast<int>(base::ErrorKind::unavailable);
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<DoctorOptions>();
  auto* verb = app.add_subcommand("doctor", "Check that this machine has what pachbuild needs");
  verb->add_flag("--network", options->scope.network, "Also check that the package indexes answer");
  auto* cluster = verb->add_flag("--cluster", options->scope.cluster, "Also check the cluster's version");
  verb->add_option("--context", options->scope.context, "The pachctl context (default: the active one)")
      ->type_name("NAME")
      ->needs(cluster);
  verb->add_option("-o,--output", options->format, "The output format")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json"}));
  verb->footer(k_about_doctor)->callback([options, &invocation] {
    invocation.action = [options] { return examine(*options); };
  });
}

}  // namespace commands
