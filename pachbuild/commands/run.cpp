// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/run.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/errors.h"
#include "base/near.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/commands.h"
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
  std::string spec;
  std::string jsonnet;
  std::vector<std::string> arguments;
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

// Every repo of the spec needs a folder, and every folder a repo that the spec reads.
base::Status match_inputs(const spec::PipelineSpec& spec, const std::map<std::string, std::string>& repos) {
  const auto inputs = spec::pfs_inputs(spec.input);
  for (const auto& [name, folder] : repos) {
    const auto reads = [&repo = name](const auto* input) { return input->repo == repo; };
    if (std::none_of(inputs.begin(), inputs.end(), reads)) {
      std::vector<std::string> read;
      for (const auto* input : inputs) read.push_back(input->repo);
      return base::fail(ErrorKind::usage, "--input " + name + "=" + folder,
                        "no input of " + spec.places.file() + " reads repo " + name,
                        base::did_you_mean(name, read));
    }
  }
  for (const auto* input : inputs) {
    if (!repos.contains(input->repo)) {
      return base::fail(ErrorKind::usage, spec.places.where(input->pointer + "/repo"),
                        "no folder was given for repo " + input->repo,
                        "add --input " + input->repo + "=PATH");
    }
  }
  return {};
}

base::Result<spec::PipelineSpec> load_one(const Options& options) {
  BASE_TRY(check_sources(options.spec, options.jsonnet));
  if (options.jsonnet.empty()) return spec::load_pipeline(options.spec);
  BASE_TRY_ASSIGN(auto pipelines, spec::load_pipelines(sources_of("", options.jsonnet, options.arguments)));
  if (pipelines.size() == 1 && spec::is_built(pipelines.front().transform))
    return std::move(pipelines.front());
  return base::fail(
      ErrorKind::bad_input, options.jsonnet,
      pipelines.size() == 1 ? "makes a pipeline without transform.build" : "makes several pipelines",
      "one is built and run at a time");
}

base::Result<int> run(const Options& options, std::vector<std::string> arguments) {
  local::RunOptions run;
  BASE_TRY_ASSIGN(run.spec, load_one(options));
  run.spec.transform.build.largest_file = options.largest_file;
  BASE_TRY_ASSIGN(run.repos, parse_inputs(options.inputs));
  BASE_TRY(match_inputs(run.spec, run.repos));
  for (const auto& warning : run.spec.warnings) report::warn(warning);
  for (const auto& field : run.spec.cluster_fields) {
    report::warn(options.spec + ": " + field + " has no effect on one machine");
  }
  run.output = options.output;
  run.workers = options.workers;
  run.show_logs = options.logs;
  run.partial = options.partial;
  run.allow_empty = options.allow_empty;
  run.force = options.force;
  run.export_by = options.hard_links ? local::ExportBy::hard_link : local::ExportBy::copy;
  run.arguments = std::move(arguments);
  if (options.runtime != "none") run.engine = options.runtime;
  run.image_prefix = options.image_prefix;
  run.pull = options.pull ? local::Pull::when_missing : local::Pull::never;
  return local::run(run);
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("run", "Build a pipeline and run it on this machine");
  auto* file =
      verb->add_option("-f,--file", options->spec, "The pipeline spec, JSON or YAML")->type_name("SPEC");
  add_template_options(*verb, *file, options->jsonnet, options->arguments);
  verb->add_option("-i,--input", options->inputs,
                   "The folder that stands for a repo of the spec's input; repeat it")
      ->type_name("REPO=PATH")
      ->allow_extra_args(false);
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
  verb->add_flag("--pull", options->pull, "Pull images that the runtime does not have");
  verb->footer(k_about_run);
  verb->callback([options, &invocation] {
    invocation.action = [options, &invocation] { return run(*options, invocation.after_dashes); };
  });
}

}  // namespace commands
