// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/pipelines.h"

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <utility>

#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/plan/remote_repos.h"
#include "pachbuild/spec/faults.h"

namespace local {
namespace {

using base::ErrorKind;

// Pachyderm's name of the project of what names none.
constexpr char k_default_project[] = "default";

std::string project_of(const std::string& project) { return project.empty() ? k_default_project : project; }

// Whether an input of `reader` reads what `writer` writes.
bool reads_result(const spec::RepoInput& input, const spec::PipelineSpec& reader,
                  const spec::PipelineSpec& writer) {
  const auto& project = input.project.empty() ? reader.project : input.project;
  const auto& branch = writer.output_branch.empty() ? spec::k_default_branch : writer.output_branch;
  return !input.cron && input.repo == writer.name && input.branch == branch &&
         project_of(project) == project_of(writer.project);
}

std::vector<std::string> folders_in(const base::fs::path& folder) {
  constexpr std::size_t k_most = 1000;
  std::vector<std::string> names;
  boost::system::error_code error;
  for (base::fs::directory_iterator entry(folder, error), end;
       !error && entry != end && names.size() < k_most; entry.increment(error)) {
    boost::system::error_code unknown;
    if (base::fs::is_directory(entry->path(), unknown)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Planner {
 public:
  Planner(std::vector<spec::PipelineSpec> specs, const GivenRepos& given)
      : m_specs(std::move(specs)), m_given(given) {}

  base::Result<Plan> make(const std::string& only) {
    BASE_TRY(check_names());
    if (only.empty()) {
      for (std::size_t i = 0; i < m_specs.size(); ++i) BASE_TRY(add(i));
    } else {
      BASE_TRY_ASSIGN(const auto wanted, find_pipeline(m_specs, only));
      BASE_TRY(add(wanted));
    }
    BASE_TRY(check_given());  // a mistyped name is also one that is missing
    BASE_TRY(check_missing());
    m_plan.has_several_specs = m_specs.size() > 1;
    return std::move(m_plan);
  }

 private:
  enum class State { open, above, done };

  base::Status check_names() const {
    std::map<std::pair<std::string, std::string>, const spec::PipelineSpec*> names;
    for (const auto& spec : m_specs) {
      const auto [entry, is_new] = names.emplace(std::pair(project_of(spec.project), spec.name), &spec);
      if (is_new) continue;
      return base::fail(spec::repeated_name_fault(spec.places.where("/pipeline/name"), spec.name,
                                                  entry->second->places.where("/pipeline/name")));
    }
    return {};
  }

  // Notes what was given for a repo.
  void take(const std::string& key, const std::string& given, const spec::RepoInput& input,
            const spec::PipelineSpec& spec) {
    if (!given.starts_with(k_remote_prefix)) {
      m_plan.folders.emplace(key, given);
      return;
    }
    const auto address = given.substr(std::string_view(k_remote_prefix).size());
    const auto& project = input.project.empty() ? spec.project : input.project;
    m_plan.remote.emplace(
        key, address.empty() ? base::join_path(project, input.repo) + "@" + input.branch : address);
  }

  // What was given for what the input reads.
  const std::string* take_given(const spec::RepoInput& input) {
    const auto found = given_for(input, m_given);
    if (found == m_given.end()) return nullptr;
    m_used.insert(found->first);
    return &found->second;
  }

  // After all that it reads; gives its place in the plan.
  base::Result<std::size_t> add(std::size_t index) {
    if (m_states[index] == State::done) return m_placed.at(index);
    if (m_states[index] == State::above) return base::fail(circle(index));
    m_states[index] = State::above;
    m_above.push_back(index);
    const auto& spec = m_specs[index];
    PlannedPipeline planned;
    std::set<std::size_t> after;
    for (const auto* input : spec::repo_inputs(spec.input)) {
      const std::string key = repo_key(*input);
      planned.reads.insert(key);
      if (const auto* given = take_given(*input)) {
        take(key, *given, *input, spec);
        continue;
      }
      if (input->cron) {
        m_plan.crons.insert(key);
        continue;
      }
      const auto writer = find_writer(m_specs, spec, *input);
      if (const auto rest = m_given.find(""); writer == m_specs.size() && rest != m_given.end()) {
        take(key, rest->second, *input, spec);
        continue;
      }
      if (writer == m_specs.size()) {
        assume_folder(key, spec, *input);
        continue;
      }
      BASE_TRY_ASSIGN(const auto place, add(writer));
      after.insert(place);
      m_plan.pipelines[place].read_as.insert(key);
    }
    planned.after.assign(after.begin(), after.end());
    planned.spec = spec;
    m_states[index] = State::done;
    m_above.pop_back();
    m_placed[index] = m_plan.pipelines.size();
    m_plan.pipelines.push_back(std::move(planned));
    return m_placed[index];
  }

  void assume_folder(const std::string& key, const spec::PipelineSpec& spec, const spec::RepoInput& input) {
    const auto folder = spec::data_folder(spec, input.repo);
    boost::system::error_code error;
    if (base::fs::is_directory(folder, error)) {
      m_plan.folders.emplace(key, folder.string());
      m_plan.assumed.emplace(key, folder.string());
    } else {
      m_missing.push_back({key, spec.places.where(input.pointer + "/repo"), folder.string(),
                           meant_instead(spec, input, folder)});
    }
  }

  // Whose result or which folder of data the repo most likely is, if its name is mistyped.
  std::string meant_instead(const spec::PipelineSpec& reader, const spec::RepoInput& input,
                            const base::fs::path& folder) const {
    auto names = folders_in(folder.parent_path());
    for (const auto& spec : m_specs) {
      if (&spec != &reader) names.push_back(spec.name);
    }
    return base::did_you_mean(input.repo, names);
  }

  base::Error circle(std::size_t index) const {
    std::vector<std::string> names;
    for (auto i = std::find(m_above.begin(), m_above.end(), index); i != m_above.end(); ++i)
      names.push_back(m_specs[*i].name);
    return spec::cycle_fault(m_specs[index].places.where("/input"), names);
  }

  base::Status check_missing() const {
    if (m_missing.empty()) return {};
    std::vector<std::string> names;
    std::vector<std::string> options;
    std::vector<std::string> folders;
    std::string meant;
    for (const auto& [name, where, folder, instead] : m_missing) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      names.push_back(name);
      options.push_back("--input " + name + "=PATH");
      folders.push_back(folder);
      if (meant.empty()) meant = instead;
    }
    const auto add =
        "add " + base::join(options, " ") + ", or put the data into " + base::join(folders, ", ");
    return base::fail(ErrorKind::usage, m_missing.front().where,
                      names.size() == 1 ? "no folder was given for repo " + names[0]
                                        : "no folders were given for the repos " + base::join(names, ", "),
                      meant.empty() ? add : meant + " Otherwise " + add);
  }

  base::Status check_given() const {
    for (const auto& [name, folder] : m_given) {
      if (name.empty()) continue;
      const std::string where = "--input " + name + "=" + folder;
      const auto writes = [&repo = name](const auto& planned) { return planned.spec.name == repo; };
      if (std::any_of(m_plan.pipelines.begin(), m_plan.pipelines.end(), writes)) {
        return base::fail(ErrorKind::usage, where, "pipeline " + name + " writes this repo itself",
                          "omit this --input, or name a pipeline that reads it in --pipeline");
      }
      if (m_used.contains(name)) continue;
      std::vector<std::string> read;
      for (const auto& planned : m_plan.pipelines)
        read.insert(read.end(), planned.reads.begin(), planned.reads.end());
      return base::fail(ErrorKind::usage, where,
                        m_specs.size() == 1
                            ? "no input of " + m_specs[0].places.file() + " reads repo " + name
                            : "no pipeline reads repo " + name,
                        base::did_you_mean(name, read));
    }
    return {};
  }

  std::vector<spec::PipelineSpec> m_specs;
  const GivenRepos& m_given;
  Plan m_plan;
  std::map<std::size_t, State> m_states;
  std::map<std::size_t, std::size_t> m_placed;  // where in the plan a spec is
  std::vector<std::size_t> m_above;             // those that wait for what they read
  struct Missing {
    std::string repo;
    std::string where;    // it is named
    std::string folder;   // that would stand for it
    std::string instead;  // "did you mean "tables"?"; empty: nothing is near
  };
  std::vector<Missing> m_missing;
  std::set<std::string> m_used;
};

}  // namespace

base::Result<std::size_t> find_pipeline(const std::vector<spec::PipelineSpec>& specs,
                                        const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
    names.push_back(specs[i].name);
  }
  return base::fail(ErrorKind::usage, "--pipeline " + name, "no such pipeline",
                    base::did_you_mean(name, names, "pipelines: " + base::join(names, ", ")));
}

std::size_t find_writer(const std::vector<spec::PipelineSpec>& specs, const spec::PipelineSpec& reader,
                        const spec::RepoInput& input) {
  const auto writer = std::find_if(specs.begin(), specs.end(),
                                   [&](const auto& other) { return reads_result(input, reader, other); });
  return static_cast<std::size_t>(writer - specs.begin());
}

GivenRepos::const_iterator given_for(const spec::RepoInput& input, const GivenRepos& given) {
  for (const auto& name : {repo_key(input), input.repo + "@" + input.branch, input.repo}) {
    if (const auto found = given.find(name); found != given.end()) return found;
  }
  return given.end();
}

base::Result<Plan> make_plan(std::vector<spec::PipelineSpec> specs, const GivenRepos& given,
                             const std::string& only) {
  return Planner(std::move(specs), given).make(only);
}

}  // namespace local
