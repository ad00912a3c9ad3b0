// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/jobs.h"

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/protobuf_json.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;

constexpr std::chrono::milliseconds k_poll_interval{500};

// The states of pps.proto.
JobState state_of(const std::string& name) {
  if (name == "JOB_SUCCESS") return JobState::succeeded;
  if (name == "JOB_FAILURE" || name == "JOB_KILLED" || name == "JOB_UNRUNNABLE") return JobState::failed;
  if (name == "JOB_CREATED" || name == "JOB_STARTING") return JobState::waiting;
  return JobState::running;
}

Job job_of(const json& info) {
  Job job;
  job.pipeline = info.at("job").at("pipeline").value("name", "");
  job.id = info.at("job").value("id", "");
  job.state_name = info.value("state", "JOB_STATE_UNKNOWN");
  job.state = state_of(job.state_name);
  job.reason = info.value("reason", "");
  job.total = number_in(info, "data_total");
  job.processed = number_in(info, "data_processed");
  job.skipped = number_in(info, "data_skipped");
  job.failed = number_in(info, "data_failed");
  return job;
}

base::Result<std::vector<Job>> list_jobs(const Pachctl& pachctl, const std::string& pipeline) {
  std::vector<Job> jobs;
  BASE_TRY(pachctl.list({"list", "job", "--pipeline", pipeline},
                        [&](const json& info) { jobs.push_back(job_of(info)); }));
  return jobs;
}

// The jobs of `pipeline` and of its build that have an id, as far as they are there already. One question
// gives all of an id, without those of years that the pipelines can have.
base::Result<Jobs> read_jobs(const Pachctl& pachctl, const std::string& pipeline, const std::string& id) {
  std::vector<Job> all;
  BASE_TRY(pachctl.list({"list", "job", id}, [&](const json& info) { all.push_back(job_of(info)); }));
  Jobs jobs;
  for (const auto& [name, job] :
       {std::pair{pipeline, &jobs.running}, std::pair{build_pipeline_of(pipeline), &jobs.build}}) {
    std::vector<Job> named;
    for (const auto& one : all) {
      if (one.pipeline == name) named.push_back(one);
    }
    if (named.size() == 1) *job = std::move(named.front());
    if (named.size() < 2) continue;
    // A pipeline of another project has the name and the id as well.
    BASE_TRY_ASSIGN(*job, find_job(pachctl, name, id));
  }
  return jobs;
}

base::Error no_job(const std::string& pipeline) {
  return {ErrorKind::step_failed, "pipeline " + pipeline, "no job has started",
          "an input without data starts none: see `pachctl list job --pipeline " + pipeline + "`"};
}

bool is_done(const Jobs& jobs) {
  return jobs.running && has_ended(*jobs.running) && (!jobs.build || has_ended(*jobs.build));
}

}  // namespace

bool has_ended(const Job& job) { return job.state == JobState::succeeded || job.state == JobState::failed; }

base::Result<std::optional<Job>> newest_job(const Pachctl& pachctl, const std::string& pipeline) {
  BASE_TRY_ASSIGN(auto jobs, list_jobs(pachctl, pipeline));
  if (jobs.empty()) return std::nullopt;
  return std::move(jobs.front());
}

base::Result<std::optional<Job>> find_job(const Pachctl& pachctl, const std::string& pipeline,
                                          const std::string& id) {
  BASE_TRY_ASSIGN(auto jobs, list_jobs(pachctl, pipeline));
  for (auto& job : jobs) {
    if (job.id == id) return std::move(job);
  }
  return std::nullopt;
}

base::Result<std::string> job_output(const Pachctl& pachctl, const Job& job) {
  return pachctl.call({"logs", "--job", job.pipeline + "@" + job.id}, ErrorKind::unavailable);
}

base::Result<std::vector<std::string>> LogReader::read(const Pachctl& pachctl) {
  std::vector<std::string> words = {"logs", "--job", m_job.pipeline + "@" + m_job.id};
  // A worker's messages arrive late now and then.
  if (!m_seen.empty()) words.insert(words.end(), {"--since", "60s"});
  std::vector<std::string> lines;
  BASE_TRY(pachctl.list(std::move(words), [&](const json& message) {
    if (!message.value("user", false) || !m_seen.insert(message.dump()).second) return;
    lines.push_back(message.value("message", ""));
  }));
  return lines;
}

base::Result<Jobs> wait_for_jobs(const Pachctl& pachctl, const std::string& pipeline, std::string id,
                                 std::chrono::seconds patience,
                                 const std::function<void(const Job&)>& changed,
                                 const std::function<void(const Jobs&)>& looked) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Jobs jobs;
  for (;;) {
    if (id.empty()) {
      BASE_TRY_ASSIGN(const auto newest, newest_job(pachctl, pipeline));
      if (newest) id = newest->id;
    }
    Jobs now;
    if (!id.empty()) {
      BASE_TRY_ASSIGN(now, read_jobs(pachctl, pipeline, id));
    }
    if (now.build && now.build != jobs.build) changed(*now.build);
    if (now.running && now.running != jobs.running) changed(*now.running);
    jobs = std::move(now);
    if (looked) looked(jobs);
    // A build that fails ends the pipeline's job after the answer has the build's: both must have ended.
    if (is_done(jobs)) return jobs;
    if (!jobs.running && std::chrono::steady_clock::now() > deadline) return base::fail(no_job(pipeline));
    std::this_thread::sleep_for(k_poll_interval);
  }
}

}  // namespace cluster
