// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/present.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pachbuild/cluster/pipelines.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;

// All repos below an input, however it is nested.
void collect_repos(const json& input, std::vector<std::string>& repos) {
  for (const auto& child : input) {
    if (child.is_object() && child.contains("repo")) repos.push_back(child.value("repo", ""));
    if (child.is_structured()) collect_repos(child, repos);
  }
}

PresentPipeline pipeline_of(const json& info) {
  PresentPipeline pipeline;
  pipeline.state = info.value("state", "");
  pipeline.reason = info.value("reason", "");
  auto spec = json::parse(info.value("user_spec_json", ""), nullptr, /*allow_exceptions=*/false);
  pipeline.spec =
      std::make_shared<const json>(spec.is_object() ? comparable(std::move(spec)) : json::object());
  const json details = info.value("details", json::object());
  collect_repos(details.value("input", json::object()), pipeline.repos);
  return pipeline;
}

}  // namespace

bool Present::has_build_of(const std::string& pipeline) const {
  const auto build = pipelines.find(build_pipeline_of(pipeline));
  if (build == pipelines.end()) return false;
  return build->second.repos == std::vector<std::string>{source_repo_of(pipeline)};
}

std::vector<std::string> Present::readers_of(const std::string& repo) const {
  std::vector<std::string> readers;
  for (const auto& [name, pipeline] : pipelines) {
    if (std::find(pipeline.repos.begin(), pipeline.repos.end(), repo) != pipeline.repos.end())
      readers.push_back(name);
  }
  return readers;
}

base::Result<Present> read_present(const Pachctl& pachctl) {
  const auto pipelines = pachctl.list({"list", "pipeline"});
  if (!pipelines) {
    return base::fail(ErrorKind::unavailable, "the cluster", "does not answer: " + pipelines.error().what,
                      "see what `pachctl version` and `pachctl config get active-context` say");
  }
  Present present;
  for (const auto& item : *pipelines) {
    present.pipelines.emplace(item.at("pipeline").value("name", ""), pipeline_of(item));
  }
  BASE_TRY_ASSIGN(const auto repos, pachctl.list({"list", "repo"}));
  for (const auto& item : repos) present.repos.insert(item.at("repo").value("name", ""));
  return present;
}

base::Error no_such_pipeline(const std::string& pipeline) {
  return {ErrorKind::bad_input, "pipeline " + pipeline, "is not there",
          "pachctl list pipeline shows what is"};
}

json comparable(json spec) {
  if (const auto pipeline = spec.find("pipeline"); pipeline != spec.end()) pipeline->erase("project");
  for (const char* const name : {"update", "reprocess"}) spec.erase(name);
  return spec;
}

}  // namespace cluster
