// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pipelines.h"

#include <array>
#include <nlohmann/json.hpp>

#include "contract/layout.h"

namespace cluster {
namespace {

using nlohmann::json;

// What transform.build hands to the build pipeline's transform, and what to the pipeline around it.
constexpr std::array k_transform_fields = {"env", "secrets", "image_pull_secrets", "user", "memory_volume"};
constexpr std::array k_pipeline_fields = {"resource_requests",
                                          "resource_limits",
                                          "sidecar_resource_requests",
                                          "sidecar_resource_limits",
                                          "autoscaling",
                                          "scheduling_spec",
                                          "tolerations",
                                          "metadata",
                                          "pod_spec",
                                          "pod_patch",
                                          "datum_timeout",
                                          "job_timeout",
                                          "datum_tries"};

template <std::size_t count>
void copy_fields(const json& from, const std::array<const char*, count>& names, json& to) {
  for (const char* const name : names) {
    if (const auto field = from.find(name); field != from.end()) to[name] = *field;
  }
}

json repo_input(const std::string& name, const std::string& repo, const std::string& branch) {
  return {{"name", name}, {"repo", repo}, {"branch", branch}, {"glob", "/"}};
}

json source_input(const spec::PipelineSpec& spec) {
  return {{"pfs", repo_input(contract::k_source_input, source_repo_of(spec.name), "master")}};
}

json build_input(const spec::PipelineSpec& spec, BuildFiles files) {
  json input = repo_input(contract::k_build_input, build_pipeline_of(spec.name), contract::k_build_branch);
  if (files == BuildFiles::lazy) input["lazy"] = true;
  return {{"pfs", std::move(input)}};
}

}  // namespace

std::string source_repo_of(const std::string& pipeline) { return pipeline + contract::k_source_repo_suffix; }

std::string build_pipeline_of(const std::string& pipeline) {
  return pipeline + contract::k_build_pipeline_suffix;
}

json build_pipeline(const spec::PipelineSpec& spec, const std::string& prefix) {
  json pipeline = {
      {"pipeline", spec.fields->at("pipeline")},
      {"description", "Builds the source of pipeline " + spec.name + "."},
      {"transform",
       {{"image", spec::images_of(spec.transform, prefix).builder}, {"cmd", {"sh", "./build.sh"}}}},
      {"input", source_input(spec)},
      {"output_branch", contract::k_build_branch},
      {"parallelism_spec", {{"constant", 1}}},
      // Pachyderm's three: the same source would fail three times in the same way.
      {"datum_tries", 1},
  };
  pipeline["pipeline"]["name"] = build_pipeline_of(spec.name);
  const json& build = spec.fields->at("transform").at("build");
  copy_fields(build, k_transform_fields, pipeline["transform"]);
  copy_fields(build, k_pipeline_fields, pipeline);
  return pipeline;
}

json running_pipeline(const spec::PipelineSpec& spec, const std::string& prefix, BuildFiles files) {
  json pipeline = *spec.fields;
  json& transform = pipeline["transform"];
  transform.erase("build");
  transform["image"] = spec::images_of(spec.transform, prefix).pipeline;
  if (spec.transform.cmd.empty()) {
    transform["cmd"] = {"sh", std::string(contract::k_build) + "/" + contract::k_run_script};
  }
  pipeline["input"] = {{"cross", {source_input(spec), build_input(spec, files), spec.fields->at("input")}}};
  return pipeline;
}

}  // namespace cluster
