// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/submission_order.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "pachbuild/spec/faults.h"

namespace commands {
namespace {

using nlohmann::json;

// The pipeline's project and name, or the repo's that an input reads.
using RepoName = std::pair<std::string, std::string>;

RepoName repo_name(const std::string& project, const std::string& name) {
  return {project.empty() ? "default" : project, name};
}

std::string field_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The repos of all pfs inputs, however they are nested.
void collect_repos(const json& input, const std::string& project, std::vector<RepoName>& repos) {
  if (!input.is_object()) return;
  for (const auto& [kind, value] : input.items()) {
    if (kind == "pfs" && value.is_object()) {
      const auto own = field_text(value, "project");
      repos.push_back(repo_name(own.empty() ? project : own, field_text(value, "repo")));
    } else if (value.is_array()) {
      for (const auto& part : value) collect_repos(part, project, repos);
    }
  }
}

class SubmissionOrder {
 public:
  explicit SubmissionOrder(const std::vector<LoadedPipeline>& pipelines)
      : m_pipelines(pipelines), m_states(pipelines.size(), State::open) {}

  base::Result<std::vector<std::size_t>> find() {
    for (std::size_t i = 0; i < m_pipelines.size(); ++i) {
      const auto name = repo_name(project_of(i), name_of(i));
      // A pipeline without a name is for Pachyderm to refuse.
      const auto [known, is_new] = m_places.emplace(name, i);
      if (is_new || name.second.empty()) continue;
      return base::fail(spec::repeated_name_fault(where(i, "/pipeline/name"), name.second,
                                                  where(known->second, "/pipeline/name")));
    }
    for (std::size_t i = 0; i < m_pipelines.size(); ++i) BASE_TRY(visit(i));
    return std::move(m_order);
  }

 private:
  enum class State { open, above, done };

  [[nodiscard]] const json& value(std::size_t i) const { return *m_pipelines[i].pipeline.document.value; }
  [[nodiscard]] const std::string& name_of(std::size_t i) const { return m_pipelines[i].pipeline.name; }
  [[nodiscard]] std::string where(std::size_t i, const char* pointer) const {
    return m_pipelines[i].pipeline.document.places.where(pointer);
  }
  [[nodiscard]] std::string project_of(std::size_t i) const {
    const json pipeline = value(i).value("pipeline", json::object());
    if (!pipeline.is_object()) return "";
    const json project = pipeline.value("project", json::object());
    return project.is_object() ? field_text(project, "name") : "";
  }

  base::Status visit(std::size_t i) {
    if (m_states[i] == State::done) return {};
    if (m_states[i] == State::above) {
      std::vector<std::string> names;
      for (auto each = std::find(m_above.begin(), m_above.end(), i); each != m_above.end(); ++each)
        names.push_back(name_of(*each));
      return base::fail(spec::cycle_fault(where(i, "/input"), names));
    }
    m_states[i] = State::above;
    m_above.push_back(i);
    std::vector<RepoName> repos;
    collect_repos(value(i).value("input", json()), project_of(i), repos);
    for (const auto& repo : repos) {
      if (const auto writer = m_places.find(repo); writer != m_places.end()) BASE_TRY(visit(writer->second));
    }
    m_states[i] = State::done;
    m_above.pop_back();
    m_order.push_back(i);
    return {};
  }

  const std::vector<LoadedPipeline>& m_pipelines;
  std::vector<State> m_states;
  std::map<RepoName, std::size_t> m_places;
  std::vector<std::size_t> m_above;  // those that wait for what they read
  std::vector<std::size_t> m_order;
};

}  // namespace

base::Result<std::vector<std::size_t>> submission_order(const std::vector<LoadedPipeline>& pipelines) {
  return SubmissionOrder(pipelines).find();
}

}  // namespace commands
