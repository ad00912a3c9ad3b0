// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/jobs.h"

#include <nlohmann/json.hpp>
#include <thread>

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
  BASE_TRY_ASSIGN(const auto infos, pachctl.list({"list", "job", "--pipeline", pipeline}));
  std::vector<Job> jobs;
  for (const auto& info : infos) jobs.push_back(job_of(info));
  return jobs;
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
  BASE_TRY_ASSIGN(const auto messages, pachctl.list(std::move(words)));
  std::vector<std::string> lines;
  for (const auto& message : messages) {
    if (!message.value("user", false) || !m_seen.insert(message.dump()).second) continue;
    lines.push_back(message.value("message", ""));
  }
  return lines;
}

base::Result<Jobs> wait_for_jobs(const Pachctl& pachctl, const std::string& pipeline,
                                 const std::string& before, std::chrono::seconds patience,
                                 const std::function<void(const Job&)>& changed) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Jobs jobs;
  while (jobs.running.id.empty()) {
    BASE_TRY_ASSIGN(auto newest, newest_job(pachctl, pipeline));
    if (newest && newest->id != before) {
      jobs.running.id = newest->id;
    } else if (std::chrono::steady_clock::now() > deadline) {
      return base::fail(
          ErrorKind::step_failed, "pipeline " + pipeline, "no job has started",
          "an input without data starts none: see `pachctl list job --pipeline " + pipeline + "`");
    } else {
      std::this_thread::sleep_for(k_poll_interval);
    }
  }
  for (;;) {
    if (!jobs.build || !has_ended(*jobs.build)) {
      BASE_TRY_ASSIGN(auto build, find_job(pachctl, build_pipeline_of(pipeline), jobs.running.id));
      if (build && build != jobs.build) changed(*build);
      jobs.build = std::move(build);
    }
    BASE_TRY_ASSIGN(const auto running, find_job(pachctl, pipeline, jobs.running.id));
    if (running && *running != jobs.running) changed(*running);
    if (running) jobs.running = *running;
    // A build that fails ends the pipeline's job between the two questions.
    if (has_ended(jobs.running) && (!jobs.build || has_ended(*jobs.build))) return jobs;
    std::this_thread::sleep_for(k_poll_interval);
  }
}

}  // namespace cluster
