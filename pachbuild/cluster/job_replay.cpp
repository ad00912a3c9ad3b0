// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/job_replay.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/repo_files.h"
#include "pachbuild/spec/input.h"
#include "pachbuild/spec/own_command.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;

std::string text_of(const JobPlace& place) {
  return (place.project.empty() ? "" : place.project + "/") + place.pipeline + "@" + place.job;
}

// Whether the leaf of an input is what the pipeline's build pipeline made.
bool is_build_of(const json& leaf, const std::string& pipeline) {
  return leaf.value("name", "") == contract::k_build_input &&
         leaf.value("repo", "") == build_pipeline_of(pipeline) &&
         leaf.value("branch", "") == contract::k_build_branch;
}

// Takes from an input, however it is nested, what is the job's own: its commits.
class CommitTaker {
 public:
  explicit CommitTaker(JobReplay& replay) : m_replay(replay) {}

  void take(json& input, const std::string& pipeline) {
    for (const char* const kind : {"cross", "join", "group", "union"}) {
      if (const auto parts = input.find(kind); parts != input.end()) {
        for (auto& part : *parts) take(part, pipeline);
      }
    }
    for (const char* const kind : {"pfs", "cron"}) {
      const auto leaf = input.find(kind);
      if (leaf == input.end()) continue;
      m_replay.has_build = m_replay.has_build || is_build_of(*leaf, pipeline);
      const std::string repo = leaf->value("project", "default") + "/" + leaf->at("repo").get<std::string>();
      m_replay.commits[repo + "@" + leaf->value("branch", spec::k_default_branch)] =
          repo + "@" + leaf->value("commit", "");
      for (const char* const field : {"commit", "repo_type", "trigger", "propagation_spec"})
        leaf->erase(field);
    }
  }

 private:
  JobReplay& m_replay;
};

// The commands in a form that starts in the artifact's environment in any place.
void make_portable(json& transform) {
  for (const char* const name : {"cmd", "err_cmd"}) {
    const auto command = transform.find(name);
    if (command == transform.end()) continue;
    auto own = spec::without_environment(command->get<spec::Words>());
    if (own.size() != command->size()) *command = spec::in_environment(std::move(own), {});
  }
}

base::Status read_details(const Pachctl& pachctl, const JobPlace& place, JobReplay& replay) {
  const std::string where = text_of(place);
  auto listed = pachctl.list({"inspect", "job", place.pipeline + "@" + place.job}, [&](const json& info) {
    const json& details = info.at("details");
    const auto state = info.at("state").get<std::string>();
    constexpr std::array k_ended = {"JOB_SUCCESS", "JOB_FAILURE", "JOB_KILLED", "JOB_UNRUNNABLE"};
    replay.has_ended = std::find(k_ended.begin(), k_ended.end(), state) != k_ended.end();
    json spec = {{"pipeline", info.at("job").at("pipeline")},
                 {"transform", details.at("transform")},
                 {"input", details.at("input")}};
    if (const auto limit = details.find("datum_timeout"); limit != details.end())
      spec["datum_timeout"] = *limit;
    CommitTaker(replay).take(spec["input"], place.pipeline);
    if (replay.has_build) make_portable(spec["transform"]);
    replay.spec = spec.dump();
  });
  if (!listed) {
    listed.error().where = "job " + where;
    listed.error().hint = "pachctl list job --pipeline " + place.pipeline + " lists them";
  }
  return listed;
}

}  // namespace

base::Result<JobPlace> parse_job_place(const std::string& text, const std::string& where) {
  JobPlace place;
  const auto sign = text.find('@');
  place.pipeline = text.substr(0, sign);
  if (sign != std::string::npos) place.job = text.substr(sign + 1);
  if (const auto slash = place.pipeline.find('/'); slash != std::string::npos) {
    place.project = place.pipeline.substr(0, slash);
    place.pipeline.erase(0, slash + 1);
    if (!spec::is_name(place.project)) place.pipeline.clear();
  }
  if (spec::is_name(place.pipeline) && place.pipeline.front() != '-') {
    if (sign == std::string::npos || is_commit_id(place.job)) return place;
    return base::fail(ErrorKind::usage, where + " " + text,
                      "invalid job id " + base::quoted(place.job) + "; expected 32 hexadecimal digits",
                      "pachctl list job --pipeline " + place.pipeline + " shows the ids");
  }
  return base::fail(ErrorKind::usage, where + " " + text, "does not have the form [PROJECT/]PIPELINE[@JOB]",
                    "for example map@f4de83f7bc204bb7975de966b346fce9; pachctl list job shows the ids");
}

base::Result<JobReplay> read_job_replay(const Pachctl& pachctl, const JobPlace& named) {
  JobPlace place = named;
  const auto local = place.project.empty() ? pachctl : pachctl.with_project(place.project);
  if (place.job.empty()) {
    BASE_TRY_ASSIGN(const auto newest, newest_job(local, place.pipeline));
    if (!newest) return base::fail(ErrorKind::bad_input, "pipeline " + place.pipeline, "has no job yet");
    place.job = newest->id;
  }
  JobReplay replay;
  replay.id = place.job;
  BASE_TRY(read_details(local, place, replay));
  // A job names its commits by its own id; here each gets the id that it has for ever.
  for (auto& [repo, address] : replay.commits) {
    BASE_TRY_ASSIGN(auto commit, parse_commit_place(address, "job " + text_of(place)));
    BASE_TRY_ASSIGN(commit.commit, find_commit(pachctl, commit));
    address = text_of(commit);
  }
  BASE_TRY(local.list({"list", "datum", place.pipeline + "@" + place.job}, [&](const json& info) {
    if (info.value("state", "") == "FAILED")
      replay.failed.push_back(info.at("datum").at("id").get<std::string>());
  }));
  return replay;
}

}  // namespace cluster
