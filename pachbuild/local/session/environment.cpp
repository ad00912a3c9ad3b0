// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/environment.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/digest.h"
#include "base/text.h"
#include "base/trusted_folder.h"
#include "contract/cache_variable.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "contract/pipeline_names.h"
#include "pachbuild/spec/own_command.h"

namespace local {
namespace {

namespace fs = base::fs;

// A commit id has 32 hexadecimal digits.
constexpr std::size_t k_commit_length = 32;

std::string commit_of(const std::string& digest) { return digest.substr(0, k_commit_length); }

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

base::Result<fs::path> cache_path() {
  fs::path folder = value_of(contract::k_cache_variable);
  BASE_TRY(contract::check_cache_variable(folder.string()));
  if (folder.empty() && !value_of("XDG_CACHE_HOME").empty())
    folder = fs::path(value_of("XDG_CACHE_HOME")) / "pachbuild";
  if (folder.empty() && !value_of("HOME").empty()) folder = fs::path(value_of("HOME")) / ".cache/pachbuild";
  if (!folder.is_absolute()) {
    return base::fail(base::ErrorKind::usage, contract::k_cache_variable,
                      "the cache folder must be an absolute path, not " + base::quoted(folder.string()),
                      "set it, or HOME, to an absolute path");
  }
  return folder;
}

// What is kept there is run and believed.
base::Status check_cache(const fs::path& folder) {
  if (auto opened = base::open_trusted_folder(folder.string(), ::geteuid()); !opened) {
    opened.error().kind = base::ErrorKind::cannot_write;
    auto& hint = opened.error().hint;
    const std::string variable = contract::k_cache_variable;
    hint = hint.empty() ? "set " + variable + " to another folder" : hint + "; name one in " + variable;
    return base::fail(std::move(opened).error());
  }
  return {};
}

base::Result<fs::path> cache_folder() {
  BASE_TRY_ASSIGN(auto folder, cache_path());
  BASE_TRY(base::make_folders(folder, 0700));
  BASE_TRY(check_cache(folder));
  return folder;
}

process::Environment build_environment(const fs::path& cache) {
  auto environment = process::current_environment();
  environment[contract::k_cache_variable] = cache.string();
  return environment;
}

void add_build_variables(process::Environment& environment, const spec::PipelineSpec& spec) {
  environment["PPS_PIPELINE_NAME"] = contract::build_pipeline_of(spec.name);
  if (spec::is_own_command(spec.transform.cmd)) environment[contract::k_own_command] = "1";
  add_declared_variables(environment, spec.transform.build.env);
}

void add_declared_variables(process::Environment& environment,
                            const std::map<std::string, std::string>& variables) {
  std::string names;
  for (const auto& [name, value] : variables) {
    environment[name] = value;
    names += (names.empty() ? "" : ",") + name;
  }
  // The builder passes these on to its tools whatever they are called.
  if (!names.empty()) environment[contract::k_build_variables] = names;
}

void add_pipeline_variables(process::Environment& environment, const spec::PipelineSpec& spec,
                            const std::string& source_version, const std::string& build_version) {
  environment["PACH_IN_WORKER"] = "true";
  environment["PPS_PIPELINE_NAME"] = spec.name;
  environment["PPS_PROJECT_NAME"] = spec.project.empty() ? "default" : spec.project;
  if (spec::is_built(spec.transform)) {
    environment[contract::k_source_input] = contract::k_source;
    environment[std::string(contract::k_source_input) + "_COMMIT"] = commit_of(source_version);
    environment[contract::k_build_input] = contract::k_build;
    environment[std::string(contract::k_build_input) + "_COMMIT"] = commit_of(build_version);
  }
  if (!spec.transform.working_dir.empty())
    environment[contract::k_working_folder] = spec.transform.working_dir;
  for (const auto& [name, value] : spec.transform.env) environment[name] = value;
}

void add_secrets(Task& task, const spec::PipelineSpec& spec, const Secrets& secrets) {
  for (const auto& secret : spec.transform.secrets) {
    const auto& values = secrets.at(secret.name);
    if (!secret.env_var.empty()) task.secret_variables[secret.env_var] = values.at(secret.key);
    if (!secret.mount_path.empty()) task.secret_folders[secret.mount_path] = values;
  }
}

std::vector<std::pair<std::string, std::string>> datum_variables(const Datum& datum,
                                                                 const spec::PipelineSpec& spec,
                                                                 const std::string& build_version,
                                                                 const std::string& given_job) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const auto* part : datum.parts) {
    const auto& input = *part->input;
    variables.emplace_back(input.name, part->path_in_pfs());
    const auto& commit = *part->commit;
    variables.emplace_back(input.name + "_COMMIT", commit.id.empty() ? commit_of(commit.digest) : commit.id);
    if (!part->join_on.empty())
      variables.emplace_back("PACH_DATUM_" + input.name + "_JOIN_ON", part->join_on);
    if (!part->group_by.empty())
      variables.emplace_back("PACH_DATUM_" + input.name + "_GROUP_BY", part->group_by);
  }
  const std::string job = !given_job.empty()
                              ? given_job
                              : commit_of(build_version.empty() ? base::sha256(spec.name) : build_version);
  variables.emplace_back("PACH_DATUM_ID", datum.id);
  variables.emplace_back("PACH_JOB_ID", job);
  variables.emplace_back("PACH_OUTPUT_COMMIT_ID", job);
  variables.emplace_back("FILESET_ID", commit_of(base::sha256(job + datum.id)));
  return variables;
}

}  // namespace local
