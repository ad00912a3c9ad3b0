// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/cluster_options.h"

#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/left_out.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source.h"
#include "pachbuild/source/source_view.h"
#include "pachbuild/spec/input.h"
#include "process/shared_runner.h"
#include "report/report.h"
#include "report/usage.h"

namespace commands {

void add_target_options(CLI::App& verb, cluster::Target& target) {
  verb.add_option("--project", target.project, "The project (default: the one in pachctl's context)")
      ->type_name("NAME");
  verb.add_option("--context", target.context, "The pachctl context (default: the active one)")
      ->type_name("NAME");
}

void add_image_prefix_option(CLI::App& verb, std::string& prefix) {
  report::allow_empty(*verb.add_option("--builder-images", prefix, "Prefix for the official builder images")
                           ->type_name("PREFIX")
                           ->envname("PACHBUILD_BUILDER_IMAGES"));
}

base::Result<base::fs::path> scratch_folder() {
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  return cache / "run";
}

base::Result<cluster::Pachctl> connect(const cluster::Target& target) {
  static process::SharedRunner runner(nullptr);
  BASE_TRY_ASSIGN(const auto scratch, scratch_folder());
  return cluster::Pachctl::find(target, scratch, runner);
}

base::Status check_pipeline_name(const std::string& name, const std::string& hint) {
  boost::system::error_code ignored;
  if (spec::is_name(name) || !base::fs::exists(name, ignored)) return {};
  return base::fail(base::ErrorKind::usage, name, "is a file, not the name of a pipeline", hint);
}

void add_template_options(CLI::App& verb, CLI::Option& file, std::string& jsonnet,
                          std::vector<std::string>& arguments) {
  auto* option =
      verb.add_option("--jsonnet", jsonnet, "A jsonnet template that generates the pipelines, instead of -f")
          ->type_name("FILE")
          ->excludes(&file);
  verb.add_option("--arg", arguments, "An argument for the template's function; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->needs(option);
}

base::Result<spec::Sources> sources_of(std::vector<std::string> files, const std::string& jsonnet,
                                       const std::vector<std::string>& arguments) {
  std::erase(files, "");
  if (!files.empty()) return spec::Sources{std::move(files), {}, {}};
  if (!jsonnet.empty()) return spec::Sources{{}, {jsonnet}, arguments};
  return base::fail(base::ErrorKind::usage, "", "no spec was given",
                    "name a file or folder of specs (-f SPEC), or a template (--jsonnet)");
}

void add_largest_file_option(CLI::App& verb, std::uint64_t& largest_file) {
  report::read_size(*verb.add_option("--max-file-size", largest_file,
                                     "The largest file allowed in a source (default: 1 GiB)")
                         ->type_name("SIZE"));
}

void SpecOptions::add_to(CLI::App& verb) {
  auto* file = verb.add_option("SPEC,-f,--file", spec,
                               "The pipelines: a file, a folder, or - for standard input (default: the only "
                               "spec in the current folder)")
                   ->type_name("SPEC");
  m_file = file;
  add_template_options(verb, *file, jsonnet, arguments);
  add_rules_to(verb);
}

base::Status SpecOptions::settle(Invocation& invocation) {
  if (m_file->count() > 0 || !jsonnet.empty()) return {};
  BASE_TRY_ASSIGN(spec, assume_spec(invocation));
  show_assumed(invocation);
  return {};
}

void SpecOptions::add_rules_to(CLI::App& verb) {
  add_image_prefix_option(verb, rules.image_prefix);
  add_largest_file_option(verb, rules.largest_file);
}

namespace {

void warn_of_empty_folders(const cluster::Submission& submission) {
  for (const auto& folder : submission.source.empty_folders) {
    report::warn((submission.spec.transform.build.folder / folder).string() +
                 ": is empty, and Pachyderm does not store empty folders");
  }
}

// A cluster has the image, which may have the files after all.
base::Status warn_of_commands(const spec::PipelineSpec& spec) {
  BASE_TRY_ASSIGN(const auto faults, spec::check_commands(spec, source::view_of(spec.transform.build),
                                                          spec::CommandHost::image));
  for (const auto* list : {&faults.errors, &faults.doubts}) {
    for (const auto& fault : *list) report::warn(base::in_one_line(fault));
  }
  return {};
}

}  // namespace

base::Result<std::vector<LoadedPipeline>> prepare(std::vector<spec::ClusterPipeline> pipelines,
                                                  const cluster::SubmissionRules& rules) {
  std::vector<LoadedPipeline> loaded;
  base::Errors errors;
  for (auto& pipeline : pipelines) {
    for (const auto& warning : pipeline.document.warnings) report::warn(warning);
    LoadedPipeline item;
    if (pipeline.spec) {
      auto submission = cluster::prepare(*pipeline.spec, rules);
      if (!submission) {
        errors.add(std::move(submission).error());
        continue;
      }
      item.submission = std::move(*submission);
      warn_of_empty_folders(*item.submission);
      if (!item.submission->warning.empty()) report::warn(item.submission->warning);
      const auto& spec = item.submission->spec;
      const auto left_out = source::left_out_by_git(item.submission->source);
      if (const auto line = left_out_line(spec.transform.build.folder.string(), left_out); !line.empty())
        report::info(spec.name + ": " + line);
      BASE_TRY(warn_of_commands(spec));
    }
    item.pipeline = std::move(pipeline);
    loaded.push_back(std::move(item));
  }
  if (!errors.none()) return base::fail(errors.take());
  return loaded;
}

base::Result<std::vector<LoadedPipeline>> load(const SpecOptions& options, spec::Target target) {
  BASE_TRY_ASSIGN(const auto sources, sources_of({options.spec}, options.jsonnet, options.arguments));
  BASE_TRY_ASSIGN(auto pipelines, spec::load_for_cluster(sources, target));
  return prepare(std::move(pipelines), options.rules);
}

}  // namespace commands
