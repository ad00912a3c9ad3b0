// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/run_report.h"
#include "pachbuild/local/plan/pipelines.h"
#include "pachbuild/local/session/session.h"
#include "pachbuild/source/source.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;

constexpr char k_about_run[] = R"(
The source of the pipeline (transform.build.path) is built by builder-runtime, and transform.cmd, or the
build's run.sh, runs once per datum, as a worker of a cluster would run it: data in /pfs/<input>, output in
/pfs/out. Results are kept in the cache: a datum whose data and code have not changed is skipped. The output
folder changes when all datums have succeeded, and not at all otherwise.

  pachbuild run -f map.json --input scraper=pages --output counts
  pachbuild run -f map.yaml --input scraper=pages --output counts --workers 4 -- --verbose
)";

struct Options {
  std::vector<std::string> specs;
  std::string jsonnet;
  std::vector<std::string> arguments;
  std::string pipeline;
  std::string tick;
  std::vector<std::string> inputs;
  std::string output;
  int workers = 0;
  bool logs = false;
  bool partial = false;
  bool allow_empty = false;
  bool force = false;
  bool hard_links = false;
  std::string runtime = "none";
  std::string image_prefix;
  std::uint64_t largest_file = source::k_largest_file;
  bool pull = false;
  bool host_commands = false;
};

base::Status check_folder(const std::string& where, const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    auto error = base::system_error("read", path, errno);
    return base::fail(ErrorKind::usage, where, path + ": " + error.what,
                      base::did_you_mean_file(path, "give the folder that stands for the repo"));
  }
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorKind::usage, where, path + ": is not a folder", "give the folder that it is in");
  }
  return {};
}

base::Result<std::map<std::string, std::string>> parse_inputs(const std::vector<std::string>& inputs) {
  std::map<std::string, std::string> repos;
  for (const auto& input : inputs) {
    const std::string where = "--input " + input;
    const auto equals = input.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == input.size()) {
      return base::fail(ErrorKind::usage, where, "is not of the form REPO=PATH",
                        "for example --input scraper=pages");
    }
    BASE_TRY(check_folder(where, input.substr(equals + 1)));
    if (!repos.emplace(input.substr(0, equals), input.substr(equals + 1)).second) {
      return base::fail(ErrorKind::usage, where,
                        "gives repo " + input.substr(0, equals) + " a second folder");
    }
  }
  return repos;
}

// As a tick of a cron input is named: this moment in UTC.
std::string time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, sizeof("2026-01-01T00:00:00Z")> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

// What nobody builds runs in its image, or with what this machine has.
base::Status check_images(const local::Plan& plan, const Options& options) {
  if (options.runtime != "none" || options.host_commands) return {};
  std::vector<std::string> names;
  std::string where;
  for (const auto& pipeline : plan.pipelines) {
    if (spec::is_built(pipeline.spec.transform)) continue;
    if (names.empty()) where = pipeline.spec.places.where("/transform");
    names.push_back(pipeline.spec.name);
  }
  if (names.empty()) return {};
  return base::fail(ErrorKind::bad_input, where,
                    (names.size() == 1 ? "pipeline " + names[0] + " has no transform.build and runs"
                                       : "the pipelines " + base::join(names, ", ") +
                                             " have no transform.build and run") +
                        " in an image",
                    "add --runtime podman (or docker), or --host-commands to run the command with what this machine "
                    "has");
}

base::Result<int> run(const Options& options, std::vector<std::string> arguments) {
  spec::Sources sources{options.specs, {}, options.arguments};
  if (!options.jsonnet.empty()) sources.templates.push_back(options.jsonnet);
  BASE_TRY_ASSIGN(auto specs, spec::load_pipelines(sources));
  for (auto& spec : specs) spec.transform.build.largest_file = options.largest_file;
  BASE_TRY_ASSIGN(const auto repos, parse_inputs(options.inputs));
  const bool several = specs.size() > 1;
  BASE_TRY_ASSIGN(const auto plan, local::make_plan(std::move(specs), repos, options.pipeline));
  BASE_TRY(check_images(plan, options));
  for (const auto& pipeline : plan.pipelines) {
    for (const auto& warning : pipeline.spec.warnings) report::warn(warning);
    for (const auto& field : pipeline.spec.cluster_fields) {
      report::warn(pipeline.spec.places.file() + ": " + field + " has no effect on one machine");
    }
  }
  local::SessionOptions session;
  session.output = options.output;
  session.folder_each = several;
  session.workers = options.workers;
  session.partial = options.partial;
  session.allow_empty = options.allow_empty;
  session.force = options.force;
  session.tick = options.tick.empty() ? time_now() : options.tick;
  session.export_by = options.hard_links ? local::ExportBy::hard_link : local::ExportBy::copy;
  session.arguments = std::move(arguments);
  if (options.runtime != "none") session.engine = options.runtime;
  session.image_prefix = options.image_prefix;
  session.pull = options.pull ? local::Pull::when_missing : local::Pull::never;
  RunReport report({.show_logs = options.logs, .name_pipelines = several});
  return local::run_session(plan, session, report);
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("run", "Build a pipeline and run it on this machine");
  auto* files = verb->add_option("-f,--file", options->specs,
                                 "The pipeline spec, JSON or YAML, or a folder of them; repeat it for pipelines that "
                                 "belong together")
                    ->type_name("SPEC|DIR")
                    ->allow_extra_args(false);
  add_template_options(*verb, *files, options->jsonnet, options->arguments);
  verb->add_option("-i,--input", options->inputs,
                   "The folder that stands for a repo of the spec's input; repeat it")
      ->type_name("REPO=PATH")
      ->allow_extra_args(false);
  verb->add_option("-o,--output", options->output,
                   "The folder for the output of all datums; made if it is missing")
      ->type_name("DIR")
      ->required();
  verb->add_option("--pipeline", options->pipeline, "Run only this pipeline of several, and what it needs")
      ->type_name("NAME");
  verb->add_option("--tick", options->tick, "The time of the tick that cron inputs get (default: now)")
      ->type_name("TIME");
  verb->add_option("-w,--workers", options->workers,
                   "How many datums run at once (default: one per processor)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  verb->add_flag("--logs", options->logs, "Show the output of every datum, not only of failed ones");
  verb->add_flag("--force", options->force, "Run every datum, even if its result is known");
  verb->add_flag("--partial", options->partial,
                 "Write the output of successful datums even if others failed");
  verb->add_flag("--allow-empty", options->allow_empty, "Accept an input without datums");
  verb->add_flag("--hard-links", options->hard_links,
                 "Make output files read-only hard links into the cache, which saves a second copy of large "
                 "outputs");
  verb->add_option("--runtime", options->runtime,
                   "Run everything in containers, one per worker, of the images that a cluster would use: "
                   "podman or docker (default: none, this machine)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"none", "podman", "docker"}));
  add_image_prefix_option(*verb, options->image_prefix);
  add_largest_file_option(*verb, options->largest_file);
  verb->add_flag("--host-commands", options->host_commands,
                 "Run the commands of pipelines without transform.build on this machine, not in their images");
  verb->add_flag("--pull", options->pull, "Pull images that the runtime does not have");
  verb->footer(k_about_run);
  verb->callback([options, &invocation] {
    invocation.action = [options, &invocation] { return run(*options, invocation.after_dashes); };
  });
}

}  // namespace commands
