// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/job_report.h"

#include "base/text.h"
#include "report/report.h"

namespace commands {

std::string text_of(const cluster::Job& job) {
  std::string text = job.pipeline + ": " + job.state_name;
  const auto done = job.processed + job.skipped + job.failed;
  if (job.total > 0) text += ", " + std::to_string(done) + " of " + base::count_of(job.total, "datum");
  if (job.skipped > 0) text += " (" + std::to_string(job.skipped) + " skipped)";
  if (job.failed > 0) text += ", " + std::to_string(job.failed) + " failed";
  return text;
}

int fail_of(const cluster::Job& job) {
  return report::fail({base::ErrorKind::step_failed, "pipeline " + job.pipeline,
                       "job " + job.id + " failed" + (job.reason.empty() ? "" : ": " + job.reason), ""});
}

base::Result<int> show_failure(const cluster::Pachctl& pachctl, const cluster::Job& job) {
  BASE_TRY_ASSIGN(const auto output, cluster::job_output(pachctl, job));
  report::output(output);
  return fail_of(job);
}

base::Result<cluster::Jobs> wait_for_pipeline(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                              const std::string& id, bool tells,
                                              const std::function<void(const cluster::Jobs&)>& looked) {
  constexpr std::chrono::seconds k_patience{60};
  const auto changed = [&](const cluster::Job& job) {
    if (tells) report::info(text_of(job));
  };
  return cluster::wait_for_jobs(pachctl, pipeline, id, k_patience, changed, looked);
}

base::Result<int> await_pipeline(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                 const std::string& id) {
  BASE_TRY_ASSIGN(const auto jobs, wait_for_pipeline(pachctl, pipeline, id, /*tells=*/true));
  if (jobs.build && jobs.build->state == cluster::JobState::failed) return show_failure(pachctl, *jobs.build);
  if (jobs.running->state == cluster::JobState::failed) return show_failure(pachctl, *jobs.running);
  return 0;
}

}  // namespace commands
