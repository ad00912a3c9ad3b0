// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/ownership.h"

#include <algorithm>
#include <string_view>

#include "contract/layout.h"
#include "pachbuild/cluster/pipelines.h"

namespace cluster {
namespace {

using base::ErrorKind;

constexpr char k_hint[] = "rename the pipeline in the spec";

// What versions before the mark wrote.
std::string former_source_mark(const std::string& pipeline) {
  return "The source of pipeline " + pipeline + ".";
}

RepoInput source_input(const PresentPipeline& reader, const std::string& repo) {
  return {contract::k_source_input, reader.project, repo, k_source_branch};
}

RepoInput build_input(const PresentPipeline& reader, const std::string& pipeline) {
  return {contract::k_build_input, reader.project, build_pipeline_of(pipeline), contract::k_build_branch};
}

bool contains(const std::vector<RepoInput>& inputs, const RepoInput& input) {
  return std::find(inputs.begin(), inputs.end(), input) != inputs.end();
}

bool is_own_source(const Present& present, const std::string& pipeline, bool has_own_head) {
  const std::string& description = present.repos.at(source_repo_of(pipeline));
  if (description == source_mark(pipeline)) return true;
  return description == former_source_mark(pipeline) && (has_own_head || is_build(present, pipeline));
}

std::string without(const std::string& name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : "";
}

// The pipelines whose build `build` may be. A shortened name does not tell, and the pipeline itself may be
// gone while its source is still there.
std::vector<std::string> owners_of(const Present& present, const std::string& build) {
  std::vector<std::string> owners{without(build, contract::k_build_pipeline_suffix)};
  for (const auto& [name, pipeline] : present.pipelines) owners.push_back(name);
  for (const auto& [name, description] : present.repos)
    owners.push_back(without(name, contract::k_source_repo_suffix));
  return owners;
}

}  // namespace

std::string source_mark(const std::string& pipeline) {
  return "Source of pipeline " + pipeline + ", managed by pachbuild.";
}

std::string build_source_mark(const std::string& pipeline) {
  return "Source of the build of pipeline " + pipeline + ", managed by pachbuild.";
}

std::string build_mark(const std::string& pipeline) {
  return "Builds the source of pipeline " + pipeline + ".";
}

bool is_build(const Present& present, const std::string& pipeline) {
  const auto found = present.pipelines.find(build_pipeline_of(pipeline));
  if (found == present.pipelines.end()) return false;
  const PresentPipeline& build = found->second;
  const auto reads_only = [&](const std::string& repo) {
    const std::vector<RepoInput> input{source_input(build, repo)};
    return build.inputs == input && build.direct_inputs == input;
  };
  return build.description == build_mark(pipeline) && build.output_branch == contract::k_build_branch &&
         build.command == build_command() &&
         (reads_only(source_repo_of(pipeline)) || reads_only(build_source_repo_of(pipeline)));
}

bool reads_build_source(const Present& present, const std::string& pipeline) {
  const auto found = present.pipelines.find(build_pipeline_of(pipeline));
  return found != present.pipelines.end() &&
         contains(found->second.direct_inputs, source_input(found->second, build_source_repo_of(pipeline)));
}

bool runs_build(const Present& present, const std::string& pipeline) {
  const auto found = present.pipelines.find(pipeline);
  if (found == present.pipelines.end()) return false;
  const auto& inputs = found->second.direct_inputs;
  return contains(inputs, source_input(found->second, source_repo_of(pipeline))) &&
         contains(inputs, build_input(found->second, pipeline));
}

base::Status check_ownership(const Present& present, const std::string& pipeline, bool has_own_head,
                             const std::string& where) {
  const std::string repo = source_repo_of(pipeline);
  const std::string build = build_pipeline_of(pipeline);
  if (present.pipelines.contains(repo)) {
    return base::fail(ErrorKind::bad_input, where,
                      "the source needs repo \"" + repo + "\", which is the output of a pipeline", k_hint);
  }
  if (!present.pipelines.contains(build) && present.repos.contains(build)) {
    return base::fail(
        ErrorKind::bad_input, where,
        "the build pipeline would be called \"" + build + "\", but a repo already has that name", k_hint);
  }
  if (present.pipelines.contains(build) && !is_build(present, pipeline)) {
    return base::fail(ErrorKind::bad_input, where,
                      "pipeline \"" + build + "\" exists and is not the build of \"" + pipeline + "\"",
                      k_hint);
  }
  if (present.repos.contains(repo) && !is_own_source(present, pipeline, has_own_head)) {
    return base::fail(ErrorKind::bad_input, where,
                      "repo \"" + repo + "\" exists and was not made by pachbuild",
                      std::string(k_hint) + "; or let pachbuild overwrite the repo: pachctl update repo " +
                          repo + " --description \"" + source_mark(pipeline) + "\"");
  }
  return {};
}

bool has_build_source(const Present& present, const std::string& pipeline) {
  const auto found = present.repos.find(build_source_repo_of(pipeline));
  return found != present.repos.end() && found->second == build_source_mark(pipeline);
}

base::Status check_build_source(const Present& present, const std::string& pipeline,
                                const std::string& where) {
  const std::string repo = build_source_repo_of(pipeline);
  if (!present.repos.contains(repo) || has_build_source(present, pipeline)) return {};
  return base::fail(ErrorKind::bad_input, where, "repo \"" + repo + "\" exists and was not made by pachbuild",
                    k_hint);
}

base::Status check_convertible(const Present& present, const std::string& pipeline,
                               const std::string& where) {
  if (present.repos.contains(pipeline) && !present.pipelines.contains(pipeline)) {
    return base::fail(ErrorKind::bad_input, where,
                      "repo \"" + pipeline + "\" exists and is not the output of a pipeline", k_hint);
  }
  for (const std::string& other : owners_of(present, pipeline)) {
    if (build_pipeline_of(other) != pipeline || !is_build(present, other)) continue;
    return base::fail(
        ErrorKind::bad_input, where,
        "pipeline name \"" + pipeline + "\" is reserved for the build of pipeline \"" + other + "\"", k_hint);
  }
  return {};
}

}  // namespace cluster
