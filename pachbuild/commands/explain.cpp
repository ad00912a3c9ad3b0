// SPDX-License-Identifier: Apache-2.0
// explain: why the last run did what it did.
#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/commands/last_runs.h"
#include "pachbuild/commands/print_line.h"

namespace commands {
namespace {

using local::RunRecord;

constexpr char k_about_explain[] = R"(
For the build and each datum that ran, shows which files, variables, settings, packages and tools differed from the
run before. Datums that ran for the same reason are grouped; --datum shows them one by one.

  pachbuild explain -f map.json
  pachbuild explain -f map.json --datum pages/a.html
)";

struct ExplainOptions {
  SpecFiles specs;
  std::string pipeline;
  std::vector<std::string> datums;
};

void print_datum(const RunRecord& record, std::size_t place) {
  const auto& datum = record.datums[place];
  const auto& reason = record.reasons[datum.reason];
  print_line("  datum " + std::to_string(place + 1) + ", " + datum.label + ": " + end_of(datum));
  if (!reason.empty()) print_line("    why: " + reason);
}

// A line for each reason.
void print_reasons(const RunRecord& record) {
  struct Group {
    std::size_t count = 0;
    std::string first;
  };
  std::vector<Group> groups(record.reasons.size());
  std::size_t skipped = 0;
  for (const auto& datum : record.datums) {
    if (datum.state == local::LastState::skipped) ++skipped;
    auto& group = groups[datum.reason];
    if (group.count++ == 0) group.first = datum.label;
  }
  for (std::size_t i = 1; i < groups.size(); ++i) {
    const auto& [count, first] = groups[i];
    if (count > 0)
      print_line("  " + (count == 1 ? "datum " + first : base::count_of(count, "datum")) + ": " +
                 record.reasons[i]);
  }
  if (skipped > 0)
    print_line("  " + base::count_of(skipped, "datum") + ": skipped; " +
               (skipped == 1 ? "its result is" : "their results are") + " in the cache");
  // Those that did not run, for no reason that was noted.
  if (groups[0].count > skipped)
    print_line("  " + base::count_of(groups[0].count - skipped, "datum") + ": not selected");
}

base::Result<int> explain(const ExplainOptions& options) {
  BASE_TRY_ASSIGN(const auto runs, known_runs(options.specs, options.pipeline));
  if (!options.datums.empty()) BASE_TRY(check_one_run(runs, "--datum"));
  for (const auto& run : runs) {
    const auto& record = run.record;
    std::vector<std::size_t> chosen;
    if (!options.datums.empty()) {
      BASE_TRY_ASSIGN(chosen, select(run, options.datums));
    }
    print_line(run.spec.name + ", run at " + local_time(record.started) + ", output in " + record.output);
    if (spec::is_built(run.spec.transform))
      print_line("  build: " + (record.build_reason.empty() ? "nothing changed" : record.build_reason));
    for (const auto place : chosen) print_datum(record, place);
    if (options.datums.empty()) print_reasons(record);
  }
  return 0;
}

}  // namespace

void add_explain(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ExplainOptions>();
  auto* verb = app.add_subcommand("explain", "Show why the last run built and ran what it did");
  options->specs.add_to(*verb);
  verb->add_option("--pipeline", options->pipeline, "Only this pipeline")->type_name("NAME");
  add_datum_option(*verb, options->datums);
  verb->footer(k_about_explain)->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->specs.settle(invocation));
      show_assumed(invocation);
      return explain(*options);
    };
  });
}

}  // namespace commands
