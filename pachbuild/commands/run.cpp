// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/commands/run_report.h"
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
  DataOptions data;
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
  std::vector<std::string> secrets;  // "NAME=PATH"
  bool pull = false;
  bool host_commands = false;
};

// What nobody builds runs in its image, or with what this machine has.
base::Status check_images(const local::Plan& plan, const Options& options) {
  for (const auto& [spec, reads, after, read_as] : plan.pipelines) {
    // A worker fails every datum then, whatever the image would run.
    if (spec::is_built(spec.transform) || !spec.transform.cmd.empty()) continue;
    return base::fail(
        ErrorKind::bad_input, spec.places.where("/transform"), "transform has neither \"build\" nor \"cmd\"",
        "add the command of the image to transform.cmd: Pachyderm does not read it from the image");
  }
  if (options.runtime != "none" || options.host_commands) return {};
  std::vector<std::string> names;
  std::string where;
  for (const auto& pipeline : plan.pipelines) {
    if (spec::is_built(pipeline.spec.transform)) continue;
    if (names.empty()) where = pipeline.spec.places.where("/transform");
    names.push_back(pipeline.spec.name);
  }
  if (names.empty()) return {};
  return base::fail(
      ErrorKind::bad_input, where,
      (names.size() == 1 ? "pipeline " + names[0] + " has no transform.build and runs"
                         : "the pipelines " + base::join(names, ", ") + " have no transform.build and run") +
          " in an image",
      "add --runtime podman (or docker), or --host-commands to run the command with what this machine "
      "has");
}

base::Result<local::Secrets> load_secrets(const local::Plan& plan, const Options& options) {
  BASE_TRY_ASSIGN(auto secrets, local::load_secrets(options.secrets));
  std::vector<const spec::PipelineSpec*> specs;
  for (const auto& pipeline : plan.pipelines) specs.push_back(&pipeline.spec);
  BASE_TRY(local::check_secrets(specs, secrets));
  return secrets;
}

base::Result<int> run(const Options& options, std::vector<std::string> arguments) {
  BASE_TRY_ASSIGN(auto plan, options.data.plan());
  for (auto& pipeline : plan.pipelines) pipeline.spec.transform.build.largest_file = options.largest_file;
  BASE_TRY(check_images(plan, options));
  BASE_TRY_ASSIGN(auto secrets, load_secrets(plan, options));
  for (const auto& pipeline : plan.pipelines) {
    for (const auto& warning : pipeline.spec.warnings) report::warn(warning);
    for (const auto& field : pipeline.spec.cluster_fields) {
      report::warn(pipeline.spec.places.file() + ": " + field + " has no effect on one machine");
    }
  }
  local::SessionOptions session;
  session.output = options.output;
  session.secrets = std::move(secrets);
  session.folder_each = plan.has_several_specs;
  session.workers = options.workers;
  session.partial = options.partial;
  session.allow_empty = options.allow_empty;
  session.force = options.force;
  BASE_TRY_ASSIGN(session.tick, options.data.tick_time());
  session.export_by = options.hard_links ? local::ExportBy::hard_link : local::ExportBy::copy;
  session.arguments = std::move(arguments);
  if (options.runtime != "none") session.engine = options.runtime;
  session.image_prefix = options.image_prefix;
  session.pull = options.pull ? local::Pull::when_missing : local::Pull::never;
  RunReport report({.show_logs = options.logs, .name_pipelines = plan.has_several_specs});
  return local::run_session(plan, session, report);
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("run", "Build a pipeline and run it on this machine");
  options->data.add_to(*verb);
  verb->add_option("-o,--output", options->output,
                   "The folder for the output of all datums; made if it is missing")
      ->type_name("DIR")
      ->required();
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
  verb->add_flag(
      "--host-commands", options->host_commands,
      "Run the commands of pipelines without transform.build on this machine, not in their images");
  verb->add_option("--secret", options->secrets,
                   "The file or folder that has the values of a secret of transform.secrets; repeat it")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
  verb->add_flag("--pull", options->pull, "Pull images that the runtime does not have");
  verb->footer(k_about_run);
  verb->callback([options, &invocation] {
    invocation.action = [options, &invocation] { return run(*options, invocation.after_dashes); };
  });
}

}  // namespace commands
