// SPDX-License-Identifier: Apache-2.0
// The jobs of a pipeline and its build: how they go, what they print.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

enum class JobState { waiting, running, succeeded, failed };

// One job of one pipeline. A source that is sent makes one for the build and one for the pipeline, with the
// same id.
struct Job {
  std::string pipeline;
  std::string id;
  std::string state_name;  // Pachyderm's: "JOB_RUNNING"
  JobState state = JobState::waiting;
  std::string reason;  // why it failed
  std::uint64_t total = 0;
  std::uint64_t processed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t failed = 0;
  bool operator==(const Job&) const = default;
};

// Whether it will not change any more.
bool has_ended(const Job& job);

// The newest job of a pipeline that is there; none when there is none yet.
base::Result<std::optional<Job>> newest_job(const Pachctl& pachctl, const std::string& pipeline);

// The pipeline's job with this id.
base::Result<std::optional<Job>> find_job(const Pachctl& pachctl, const std::string& pipeline,
                                          const std::string& id);

// What the person's code has printed in a job, as it was printed.
base::Result<std::string> job_output(const Pachctl& pachctl, const Job& job);

// The lines of a job while it runs, each given once.
class LogReader {
 public:
  explicit LogReader(Job job) : m_job(std::move(job)) {}
  // The lines that were not there at the last call.
  base::Result<std::vector<std::string>> read(const Pachctl& pachctl);

 private:
  Job m_job;
  std::set<std::string> m_seen;  // whole messages: time, worker, datum and text
};

// Those that one change of the cluster has started.
struct Jobs {
  std::optional<Job> build;  // none when the source is as it was
  std::optional<Job> running;
};

// Waits until the jobs of `pipeline` and its build that have this id, or that of the newest one when it is
// empty, have ended; the one of `pipeline` is always there then. `changed` is called whenever one of them
// goes on, `looked` whenever the cluster was asked. No job within `patience` is an error.
base::Result<Jobs> wait_for_jobs(const Pachctl& pachctl, const std::string& pipeline, std::string id,
                                 std::chrono::seconds patience,
                                 const std::function<void(const Job&)>& changed,
                                 const std::function<void(const Jobs&)>& looked = {});

}  // namespace cluster
