// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pipelines.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/spec/own_command.h"

namespace cluster {
namespace {

using nlohmann::json;
using spec::Words;

// Of transform.build's fields those that say what is built, and those of the build pipeline's transform. All
// others (spec/schema.cpp has the list) are of the pipeline itself.
constexpr std::array<std::string_view, 3> k_own_fields = {"path", "language", "image"};
constexpr std::array<std::string_view, 5> k_transform_fields = {"env", "secrets", "image_pull_secrets",
                                                                "user", "memory_volume"};

template <std::size_t count>
bool is_one_of(const std::string& name, const std::array<std::string_view, count>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void hand_on_fields(const json& build, json& pipeline) {
  for (const auto& [name, value] : build.items()) {
    if (is_one_of(name, k_own_fields)) continue;
    (is_one_of(name, k_transform_fields) ? pipeline["transform"] : pipeline)[name] = value;
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// The builder passes what the spec sets on to its tools, whatever it is called, and keeps secrets out of its
// keys: in a pod it cannot tell them from what Kubernetes and Pachyderm set.
void name_variables(const json& build, json& transform) {
  std::vector<std::string> set;
  std::vector<std::string> secret;
  if (build.contains("env")) {
    for (const auto& [name, value] : build.at("env").items()) set.push_back(name);
  }
  if (build.contains("secrets")) {
    for (const auto& one : build.at("secrets")) {
      if (one.contains("env_var") && one.at("env_var").is_string())
        secret.push_back(one.at("env_var").get<std::string>());
    }
  }
  if (!set.empty()) transform["env"][contract::k_build_variables] = joined(set);
  if (!secret.empty()) transform["env"][contract::k_build_secrets] = joined(secret);
}

json repo_input(const std::string& name, const std::string& repo, const std::string& branch) {
  return {{"name", name}, {"repo", repo}, {"branch", branch}, {"glob", "/"}};
}

json source_input(const std::string& repo) {
  return {{"pfs", repo_input(contract::k_source_input, repo, k_source_branch)}};
}

json build_input(const spec::PipelineSpec& spec, BuildFiles files) {
  json input = repo_input(contract::k_build_input, build_pipeline_of(spec.name), contract::k_build_branch);
  if (files == BuildFiles::lazy) input["lazy"] = true;
  return {{"pfs", std::move(input)}};
}

}  // namespace

std::vector<std::string> build_command() { return {"sh", std::string("./") + contract::k_build_script}; }

BuildSource build_source_of(const spec::PipelineSpec& spec, bool has_own_script) {
  // The languages for which builder-runtime --source-inputs names the parts of a source.
  constexpr std::array<std::string_view, 1> k_languages = {"python"};
  const bool says = is_one_of(spec.transform.build.language, k_languages);
  return says && !has_own_script ? BuildSource::own : BuildSource::shared;
}

json build_pipeline(const spec::PipelineSpec& spec, const std::string& prefix, BuildSource source) {
  const bool is_own = source == BuildSource::own;
  json pipeline = {
      {"pipeline", spec.fields->at("pipeline")},
      {"description", build_mark(spec.name)},
      {"transform", {{"image", spec::images_of(spec.transform, prefix).builder}, {"cmd", build_command()}}},
      {"input", source_input(is_own ? build_source_repo_of(spec.name) : source_repo_of(spec.name))},
      {"output_branch", contract::k_build_branch},
      {"parallelism_spec", {{"constant", 1}}},
      // Pachyderm's three: the same source would fail three times in the same way.
      {"datum_tries", 1},
  };
  pipeline["pipeline"]["name"] = build_pipeline_of(spec.name);
  const json& build = spec.fields->at("transform").at("build");
  hand_on_fields(build, pipeline);
  name_variables(build, pipeline["transform"]);
  if (spec::is_own_command(spec.transform.cmd)) pipeline["transform"]["env"][contract::k_own_command] = "1";
  return pipeline;
}

json running_pipeline(const spec::PipelineSpec& spec, const std::string& prefix, BuildFiles files) {
  json pipeline = *spec.fields;
  json& transform = pipeline["transform"];
  transform.erase("build");
  transform["image"] = spec::images_of(spec.transform, prefix).pipeline;
  const auto place = spec::image_place(spec.transform);
  const auto& command = spec.transform.cmd;
  transform["cmd"] = command.empty()
                         ? Words{"sh", std::string(contract::k_build) + "/" + contract::k_run_script}
                         : spec::in_environment(command, place);
  if (!spec.transform.err_cmd.empty())
    transform["err_cmd"] = spec::in_environment(spec.transform.err_cmd, place);
  if (const auto start = spec::folder_of_command(spec.transform);
      spec.transform.working_dir.empty() && !start.empty())
    transform["working_dir"] = start;
  const auto& folder = spec.transform.working_dir;
  if (!folder.empty() && !spec.transform.env.contains(contract::k_working_folder))
    transform["env"][contract::k_working_folder] = folder;
  pipeline["input"] = {
      {"cross",
       {source_input(source_repo_of(spec.name)), build_input(spec, files), spec.fields->at("input")}}};
  return pipeline;
}

json with_own_commands(json pipeline) {
  const auto transform = pipeline.find("transform");
  if (transform == pipeline.end()) return pipeline;
  for (const char* const name : {"cmd", "err_cmd"}) {
    const auto command = transform->find(name);
    if (command == transform->end() || !command->is_array()) continue;
    const bool is_text =
        std::all_of(command->begin(), command->end(), [](const json& word) { return word.is_string(); });
    if (is_text) *command = spec::without_environment(command->get<Words>());
  }
  return pipeline;
}

}  // namespace cluster
