// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/data_options.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <ctime>

#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "base/time_text.h"
#include "pachbuild/cluster/repo_files.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/cluster_jobs.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/local/plan/remote_repos.h"

namespace commands {
namespace {

using base::ErrorKind;

base::Status check_folder(const std::string& where, const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    auto error = base::read_error(path, errno);
    return base::fail(ErrorKind::usage, where, error.what,
                      base::did_you_mean_file(path, "name the folder that stands for the repo"));
  }
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorKind::usage, where, "is not a folder", "name the folder that contains it");
  }
  return {};
}

// A folder, or a commit of a cluster.
base::Status check_given(const std::string& where, const std::string& given) {
  constexpr std::string_view k_prefix = local::k_remote_prefix;
  if (!given.starts_with(k_prefix)) return check_folder(where, given);
  if (given.size() == k_prefix.size()) return {};
  BASE_TRY(cluster::parse_commit_place(given.substr(k_prefix.size()), where));
  return {};
}

base::Result<local::GivenRepos> parse_inputs(const std::vector<std::string>& inputs) {
  local::GivenRepos repos;
  for (const auto& input : inputs) {
    const std::string where = "--input " + input;
    if (input == local::k_remote_prefix) {
      repos[""] = input;
      continue;
    }
    const auto equals = input.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == input.size()) {
      return base::fail(ErrorKind::usage, where, "does not have the form REPO=PATH",
                        "for example --input scraper=pages, or --input scraper=pfs:scraper@master");
    }
    BASE_TRY(check_given(where, input.substr(equals + 1)));
    if (!repos.emplace(input.substr(0, equals), input.substr(equals + 1)).second) {
      return base::fail(ErrorKind::usage, where, "names repo " + input.substr(0, equals) + " a second time");
    }
  }
  return repos;
}

std::string time_now() {
  return base::time_text(std::time(nullptr), base::k_rfc3339, base::Zone::utc).value_or("");
}

}  // namespace

void SpecFiles::add_to(CLI::App& verb, Argument argument) {
  auto* option =
      verb.add_option(
              argument == Argument::spec ? "SPEC,-f,--file" : "-f,--file", files,
              "The pipeline spec (JSON or YAML), or a folder of specs; may be repeated for pipelines that "
              "belong together (default: the only spec in the current folder)")
          ->type_name("SPEC")
          ->allow_extra_args(false);
  add_template_options(verb, *option, jsonnet, arguments);
}

base::Status SpecFiles::settle(Invocation& invocation) {
  if (!files.empty() || !jsonnet.empty()) return {};
  BASE_TRY_ASSIGN(auto spec, assume_spec(invocation));
  files.push_back(std::move(spec));
  return {};
}

void assume_inputs(Invocation& invocation, const local::Plan& plan) {
  for (const auto& [repo, folder] : plan.assumed) assume(invocation, "--input", repo + "=" + folder);
}

base::Status DataOptions::settle(Invocation& invocation) {
  return job.empty() ? specs.settle(invocation) : base::Status();
}

base::Result<std::vector<spec::PipelineSpec>> SpecFiles::load() const {
  BASE_TRY_ASSIGN(const auto sources, sources_of(files, jsonnet, arguments));
  return spec::load_pipelines(sources);
}

void add_datum_option(CLI::App& verb, std::vector<std::string>& datums) {
  verb.add_option("--datum", datums,
                  "Only this datum: one of its files, its number in list datum, or its id; may be repeated")
      ->type_name("PATH|ID|N")
      ->allow_extra_args(false);
}

void DataOptions::add_to(CLI::App& verb) {
  specs.add_to(verb);
  verb.add_option("-i,--input", inputs,
                  "The folder that stands for a repo of the spec's input, or pfs:REPO@BRANCH for a commit on "
                  "the cluster; may be repeated. \"pfs:\" alone takes all other repos from the cluster "
                  "(default: data/REPO next to the spec)")
      ->type_name("REPO=PATH")
      ->allow_extra_args(false);
  verb.add_option("--pipeline", pipeline, "Only this pipeline and the pipelines that it depends on")
      ->type_name("NAME");
  verb.add_option("--tick", tick, "The time of the tick that cron inputs get (default: now)")
      ->type_name("TIME");
}

void DataOptions::add_job_to(CLI::App& verb) {
  verb.add_option("--job", job,
                  "A job on the cluster, instead of -f and --input: its pipeline, files and variables as "
                  "they were then. Without --datum only its failed datums run")
      ->type_name("PIPELINE[@JOB]");
}

base::Result<local::GivenRepos> DataOptions::repos() const { return parse_inputs(inputs); }

base::Result<local::Plan> DataOptions::plan() const {
  if (!job.empty()) {
    BASE_TRY(check_job());
    return plan_of_job(job);
  }
  BASE_TRY_ASSIGN(auto loaded, specs.load());
  BASE_TRY_ASSIGN(const auto given, repos());
  return local::make_plan(std::move(loaded), given, pipeline);
}

base::Status DataOptions::check_job() const {
  const bool has_others =
      !specs.files.empty() || !specs.jsonnet.empty() || !inputs.empty() || !pipeline.empty() || !tick.empty();
  if (!has_others) return {};
  return base::fail(ErrorKind::usage, "--job " + job, "already names the pipeline and its data",
                    "omit -f, --jsonnet, --input, --pipeline and --tick");
}

base::Status DataOptions::check_one_pipeline(const local::Plan& plan, const std::string& where,
                                             const std::string& fault) const {
  if (!pipeline.empty() || !plan.has_several_specs) return {};
  std::vector<std::string> names;
  for (const auto& planned : plan.pipelines) names.push_back(planned.spec.name);
  return base::fail(several_pipelines(where, fault, names));
}

base::Result<std::string> DataOptions::tick_time() const {
  if (tick.empty()) return time_now();
  std::tm parts{};
  const char* const end = ::strptime(tick.c_str(), base::k_rfc3339, &parts);
  if (end != nullptr && *end == '\0' && tick.size() == time_now().size()) return tick;
  return base::fail(ErrorKind::usage, "--tick", "invalid time " + base::quoted(tick),
                    "write it as 2026-11-25T22:31:45Z, in UTC");
}

base::Error several_pipelines(const std::string& where, const std::string& fault,
                              const std::vector<std::string>& names) {
  return {ErrorKind::usage, where, fault + ": the specs contain several pipelines",
          "name one of " + base::join(names, ", ")};
}

}  // namespace commands
