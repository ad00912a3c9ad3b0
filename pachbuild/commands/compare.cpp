// SPDX-License-Identifier: Apache-2.0
// validate and diff: what a spec would do, without doing it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/submission_order.h"
#include "report/report.h"

namespace commands {
namespace {

using nlohmann::json;

constexpr char k_about_diff[] = R"(
Prints a line for each source file that differs from the one in its repo (+ new, ~ changed, - removed), and for each
field that differs in the specs of the build pipeline and the pipeline itself.

  pachbuild diff map.json
)";

constexpr char k_about_validate[] = R"(
Checks each spec (fields, values, names, inputs, cycles among the pipelines) and the source that it builds: the folder
exists, Pachyderm can store each of its files, and it has the files that the commands name. Nothing is built or run.

Reports faults of specs that pachbuild run or Pachyderm 2.12 would refuse, with their positions in the files, and exits
with 65 if there are any. Settings, requirements and programs in the source are checked by a build only. A spec that is
valid on a cluster but cannot run on this machine causes a warning. If there are no errors, it prints a line for each
pipeline, for example "map: ok, 3 source files".

  pachbuild validate
  pachbuild validate map.json
  pachbuild validate pipelines/
  pachbuild validate --jsonnet map.jsonnet --arg image=ubuntu:24.04
)";

struct CompareOptions {
  SpecOptions specs;
  cluster::Target target;
  bool exit_code = false;
};

base::Result<int> validate(const CompareOptions& options) {
  BASE_TRY_ASSIGN(const auto pipelines, load(options.specs, spec::Target::any));
  BASE_TRY(submission_order(pipelines));
  for (const auto& [pipeline, submission] : pipelines) {
    const std::string line =
        pipeline.name + ": ok, " +
        (submission ? base::count_of(submission->source.files.size(), "source file") : "nothing to build");
    std::puts(base::printable(line).c_str());
    for (const auto& note : pipeline.notes) report::warn(note);
  }
  return 0;
}

// The lines of one spec against the one that runs; RFC 6902's differences as a person reads them.
std::vector<std::string> spec_lines(const cluster::Present& present, const json& spec) {
  const std::string name = spec.at("pipeline").at("name");
  const auto there = present.pipelines.find(name);
  if (there == present.pipelines.end()) return {"+ pipeline " + name};
  std::vector<std::string> lines;
  const json full = cluster::comparable(spec);
  const json wanted = cluster::with_own_commands(full);
  const json present_spec = cluster::with_own_commands(*there->second.spec);
  const auto steps = json::diff(present_spec, wanted);
  if (steps.empty() && *there->second.spec != full) {
    return {"~ pipeline " + name + ": the way its command is started has changed"};
  }
  for (const auto& step : steps) {
    const std::string path = step.at("path");
    const std::string kind = step.at("op");
    std::string line = (kind == "add"      ? "+ "
                        : kind == "remove" ? "- "
                                           : "~ ") +
                       ("pipeline " + name) + ": " + path;
    if (kind != "add") line += " " + present_spec.at(json::json_pointer(path)).dump();
    if (kind == "replace") line += " →";
    if (kind != "remove") line += " " + step.at("value").dump();
    lines.push_back(std::move(line));
  }
  return lines;
}

base::Result<std::vector<std::string>> source_lines(const cluster::Pachctl& pachctl,
                                                    const cluster::Present& present,
                                                    const cluster::Submission& submission) {
  const std::string repo = cluster::source_repo_of(submission.spec.name);
  cluster::StoredSource stored;
  if (present.repos.contains(repo)) {
    BASE_TRY_ASSIGN(const auto branches, cluster::read_branches(pachctl, repo));
    BASE_TRY_ASSIGN(stored, cluster::read_files(pachctl, repo, branches));
  }
  BASE_TRY_ASSIGN(const auto changes, cluster::compare(stored, submission.source.files));
  std::vector<std::string> lines;
  for (const auto& file : changes.sent)
    lines.push_back((stored.files.contains(file.path) ? "~ " : "+ ") + file.path);
  for (const auto& path : changes.removed) lines.push_back("- " + path);
  return lines;
}

base::Result<std::vector<std::string>> all_lines(const cluster::Pachctl& pachctl,
                                                 const LoadedPipeline& loaded) {
  BASE_TRY_ASSIGN(const auto present, cluster::read_present(pachctl));
  if (!loaded.submission) return spec_lines(present, *loaded.pipeline.document.value);
  BASE_TRY_ASSIGN(auto lines, source_lines(pachctl, present, *loaded.submission));
  for (const auto& spec : {loaded.submission->build, loaded.submission->running}) {
    const auto more = spec_lines(present, *spec);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

base::Result<int> diff(const CompareOptions& options) {
  BASE_TRY_ASSIGN(const auto pipelines, load(options.specs));
  BASE_TRY_ASSIGN(auto pachctl, connect(options.target));
  bool same = true;
  for (const auto& loaded : pipelines) {
    BASE_TRY_ASSIGN(const auto own, loaded.submission ? cluster::pachctl_for(pachctl, loaded.submission->spec)
                                                      : base::Result<cluster::Pachctl>(pachctl));
    BASE_TRY_ASSIGN(const auto lines, all_lines(own, loaded));
    for (const auto& line : lines) std::puts(base::printable(line).c_str());
    same = same && lines.empty();
  }
  return options.exit_code && !same ? 1 : 0;
}

}  // namespace

void add_compare(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<CompareOptions>();
  auto* verb = app.add_subcommand("validate", "Check specs and their sources, without a cluster");
  options->specs.add_to(*verb);
  verb->footer(k_about_validate)->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->specs.settle(invocation));
      return validate(*options);
    };
  });

  options = std::make_shared<CompareOptions>();
  verb = app.add_subcommand("diff", "Show how specs and sources differ from what runs on a cluster");
  options->specs.add_to(*verb);
  add_target_options(*verb, options->target);
  verb->add_flag("--exit-code", options->exit_code, "Exit with 1 if there are differences");
  verb->footer(k_about_diff)->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->specs.settle(invocation));
      return diff(*options);
    };
  });
}

}  // namespace commands
