// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_options.h"

#include <CLI/CLI.hpp>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/cluster_jobs.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/cluster_repos.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;

// What nobody builds runs in its image, or with what this machine has.
base::Status check_images(const local::Plan& plan, const RunOptions& options) {
  for (const auto& pipeline : plan.pipelines) BASE_TRY(spec::check_has_command(pipeline.spec));
  if (options.runtime != "none" || options.host_commands || plan.has_artifacts) return {};
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

// Of all pipelines, so that those with the same source have the same build.
std::vector<base::fs::path> data_folders_of(const local::Plan& plan) {
  std::set<base::fs::path> folders;
  for (const auto& pipeline : plan.pipelines) {
    const auto& data = pipeline.spec.transform.build.data;
    folders.insert(data.begin(), data.end());
  }
  for (const auto& [repo, folder] : plan.folders) folders.insert(folder);
  return {folders.begin(), folders.end()};
}

base::Result<local::Secrets> load_secrets(const local::Plan& plan, const RunOptions& options) {
  BASE_TRY_ASSIGN(auto secrets, local::load_secrets(options.secrets));
  std::vector<const spec::PipelineSpec*> specs;
  for (const auto& pipeline : plan.pipelines) specs.push_back(&pipeline.spec);
  BASE_TRY(local::check_secrets(specs, secrets));
  return secrets;
}

void warn_of(const local::Plan& plan) {
  for (const auto& pipeline : plan.pipelines) {
    for (const auto& warning : pipeline.spec.warnings) report::warn(warning);
    for (const auto& field : pipeline.spec.cluster_fields)
      report::warn(field + " has no effect on this machine");
  }
}

}  // namespace

base::Result<RunOptions::Prepared> RunOptions::prepare(std::vector<std::string> arguments) const {
  Prepared prepared;
  auto& [plan, session] = prepared;
  BASE_TRY_ASSIGN(plan, data.plan());
  if (!datums.empty()) BASE_TRY(data.check_one_pipeline(plan, "--datum", "requires --pipeline"));
  const auto data_folders = data_folders_of(plan);
  for (auto& pipeline : plan.pipelines) {
    auto& build = pipeline.spec.transform.build;
    build.largest_file = largest_file;
    build.data = data_folders;
  }
  BASE_TRY(check_images(plan, *this));
  BASE_TRY_ASSIGN(session.secrets, load_secrets(plan, *this));
  BASE_TRY_ASSIGN(session.tick, data.tick_time());
  if (!quiet) warn_of(plan);
  session.folder_each = plan.has_several_specs;
  session.datums = datums;
  if (!data.job.empty() && datums.empty()) {
    BASE_TRY_ASSIGN(session.datums, failed_datums_of(data.job));
  }
  if (!plan.remote.empty()) session.remote = cluster_repos();
  session.arguments = std::move(arguments);
  if (runtime != "none") session.engine = runtime;
  session.image_prefix = image_prefix;
  session.pull = pull ? local::Pull::when_missing : local::Pull::never;
  return prepared;
}

void RunOptions::add_to(CLI::App& verb) {
  data.add_to(verb);
  add_datum_option(verb, datums);
  verb.add_option("--runtime", runtime,
                  "Run everything in containers, one per worker, from the images that a cluster would use: "
                  "podman or docker (default: none, this machine)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"none", "podman", "docker"}));
  add_image_prefix_option(verb, image_prefix);
  add_largest_file_option(verb, largest_file);
  verb.add_flag("--host-commands", host_commands,
                "Run the commands of pipelines without transform.build on this machine, not in their images");
  verb.add_option("--secret", secrets,
                  "The file or folder with the values of a secret in transform.secrets; may be repeated")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
  verb.add_flag("--pull", pull, "Pull images that the runtime does not have");
}

}  // namespace commands
