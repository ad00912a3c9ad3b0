// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/cluster_options.h"

#include <CLI/CLI.hpp>

#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source.h"
#include "process/runner.h"
#include "report/report.h"

namespace commands {

void add_target_options(CLI::App& verb, cluster::Target& target) {
  verb.add_option("--project", target.project, "The project (default: that of pachctl's context)")
      ->type_name("NAME");
  verb.add_option("--context", target.context, "A context of pachctl (default: the active one)")
      ->type_name("NAME");
}

void add_image_prefix_option(CLI::App& verb, std::string& prefix) {
  verb.add_option("--builder-images", prefix, "Prefix for the official builder images")
      ->type_name("PREFIX")
      ->envname("PACHBUILD_BUILDER_IMAGES");
}

base::Result<base::fs::path> scratch_folder() {
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  return cache / "run";
}

base::Result<cluster::Pachctl> connect(const cluster::Target& target) {
  static process::SystemRunner runner;
  BASE_TRY_ASSIGN(const auto scratch, scratch_folder());
  return cluster::Pachctl::find(target, scratch, runner);
}

void SpecOptions::add_to(CLI::App& verb) {
  verb.add_option("-f,--file", spec, "The pipelines: a file, a folder, or - for standard input")
      ->type_name("SPEC")
      ->required();
  add_rules_to(verb);
}

void SpecOptions::add_rules_to(CLI::App& verb) {
  add_image_prefix_option(verb, rules.image_prefix);
  verb.add_option("--max-file-size", rules.largest_file,
                  "The largest file that a source may have (default 1 GiB)")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
}

namespace {

void warn_of_empty_folders(const cluster::Submission& submission) {
  for (const auto& folder : submission.source.empty_folders) {
    report::warn((submission.spec.transform.build.folder / folder).string() +
                 ": is empty, and Pachyderm keeps no empty folders");
  }
}

}  // namespace

base::Result<std::vector<LoadedPipeline>> prepare(std::vector<spec::ClusterPipeline> pipelines,
                                                  const cluster::SubmissionRules& rules) {
  std::vector<LoadedPipeline> loaded;
  for (auto& pipeline : pipelines) {
    LoadedPipeline item;
    if (pipeline.spec) {
      BASE_TRY_ASSIGN(item.submission, cluster::prepare(*pipeline.spec, rules));
      warn_of_empty_folders(*item.submission);
      if (!item.submission->warning.empty()) report::warn(item.submission->warning);
    }
    item.pipeline = std::move(pipeline);
    loaded.push_back(std::move(item));
  }
  return loaded;
}

base::Result<std::vector<LoadedPipeline>> load(const SpecOptions& options) {
  BASE_TRY_ASSIGN(auto pipelines, spec::load_for_cluster(options.spec));
  return prepare(std::move(pipelines), options.rules);
}

}  // namespace commands
