// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/present.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "pachbuild/cluster/side_by_side.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;

RepoInput input_of(const json& pfs, const std::string& project) {
  const std::string repo = pfs.value("repo", "");
  return {.name = pfs.value("name", repo),
          .project = pfs.value("project", project),
          .repo = repo,
          .branch = pfs.value("branch", "master")};
}

// All repos below an input, however it is nested.
void collect_repos(const json& input, const std::string& project, std::vector<RepoInput>& repos) {
  for (const auto& child : input) {
    if (child.contains("repo")) repos.push_back(input_of(child, project));
    if (child.is_structured()) collect_repos(child, project, repos);
  }
}

std::vector<RepoInput> direct_repos(const json& input, const std::string& project) {
  std::vector<RepoInput> repos;
  const auto add = [&](const json& part) {
    if (part.contains("pfs")) repos.push_back(input_of(part.at("pfs"), project));
  };
  add(input);
  for (const auto& part : input.value("cross", json::array())) add(part);
  return repos;
}

// A field of what Pachyderm has made of the spec; those that are not set are left out there.
template <class Value>
Value field(const json& details, const char* name, const Value& otherwise) {
  const auto found = details.find(name);
  return found == details.end() ? otherwise : found->template get<Value>();
}

PresentPipeline pipeline_of(const json& info) {
  PresentPipeline pipeline;
  pipeline.project = info.at("pipeline").value("project", json::object()).value("name", "");
  pipeline.state = info.value("state", "");
  pipeline.reason = info.value("reason", "");
  pipeline.last_job = info.value("last_job_state", "");
  auto spec = json::parse(info.value("user_spec_json", ""), nullptr, /*allow_exceptions=*/false);
  pipeline.spec =
      std::make_shared<const json>(spec.is_object() ? comparable(std::move(spec)) : json::object());
  const json details = info.value("details", json::object());
  pipeline.description = field<std::string>(details, "description", "");
  pipeline.output_branch = field<std::string>(details, "output_branch", "");
  pipeline.command = field<std::vector<std::string>>(field(details, "transform", json::object()), "cmd", {});
  const json input = field(details, "input", json::object());
  collect_repos(input, pipeline.project, pipeline.inputs);
  pipeline.direct_inputs = direct_repos(input, pipeline.project);
  return pipeline;
}

base::Status list(const Pachctl& pachctl, const std::string& kind, const Pachctl::Take& take) {
  const auto listed = pachctl.list({"list", kind}, take);
  if (listed || listed.error().kind == ErrorKind::io) return listed;  // an answer that cannot be read
  return base::fail(ErrorKind::unavailable, "", "the cluster does not answer: " + listed.error().what,
                    "check the output of `pachctl version` and `pachctl config get active-context`");
}

}  // namespace

base::Result<std::map<std::string, std::string>> read_repos(const Pachctl& pachctl) {
  std::map<std::string, std::string> repos;
  BASE_TRY(list(pachctl, "repo", [&](const json& item) {
    repos.emplace(item.at("repo").value("name", ""), item.value("description", ""));
  }));
  return repos;
}

base::Result<std::map<std::string, PresentPipeline>> read_pipelines(const Pachctl& pachctl) {
  std::map<std::string, PresentPipeline> pipelines;
  BASE_TRY(list(pachctl, "pipeline", [&](const json& item) {
    pipelines.emplace(item.at("pipeline").value("name", ""), pipeline_of(item));
  }));
  return pipelines;
}

base::Result<std::vector<Reader>> read_all_readers(const Pachctl& pachctl) {
  std::vector<Reader> readers;
  BASE_TRY(pachctl.list({"list", "pipeline", "--all-projects"}, [&](const json& item) {
    auto pipeline = pipeline_of(item);
    readers.push_back(
        {std::move(pipeline.project), item.at("pipeline").value("name", ""), std::move(pipeline.inputs)});
  }));
  return readers;
}

base::Result<Present> read_present(const Pachctl& pachctl) {
  Present present;
  SideBySide calls;
  calls.add(pachctl, [&](const Pachctl& own) { return assign(present.repos, read_repos(own)); });
  calls.add(pachctl, [&](const Pachctl& own) { return assign(present.pipelines, read_pipelines(own)); });
  BASE_TRY(calls.run());
  return present;
}

base::Error no_such_pipeline(const std::string& pipeline) {
  return {ErrorKind::bad_input, "pipeline " + pipeline, "does not exist",
          "pachctl list pipeline shows which pipelines exist"};
}

json comparable(json spec) {
  if (const auto pipeline = spec.find("pipeline"); pipeline != spec.end()) pipeline->erase("project");
  for (const char* const name : {"update", "reprocess"}) spec.erase(name);
  return spec;
}

}  // namespace cluster
