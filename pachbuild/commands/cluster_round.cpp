// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/cluster_round.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/commands/job_report.h"
#include "pachbuild/view/log_lines.h"
#include "report/report.h"

namespace commands {
namespace {

using cluster::Job;
using cluster::JobState;
using Clock = std::chrono::steady_clock;

// The log of a job, from its start to its end.
class FollowedLog {
 public:
  explicit FollowedLog(const cluster::Pachctl& pachctl) : m_pachctl(pachctl) {}

  void look(const Job& job) {
    if (m_is_over || job.state == JobState::waiting) return;
    m_is_over = cluster::has_ended(job);
    if (!m_reader) m_reader.emplace(job);
    const auto lines = m_reader->read(m_pachctl);
    if (!lines) {
      // How the job goes is known without its log.
      report::warn(base::in_one_line(lines.error()));
      m_is_over = true;
      return;
    }
    if (!lines->empty()) report::output(view::led_by(job.pipeline + " | ", base::join(*lines, "\n") + "\n"));
  }

 private:
  const cluster::Pachctl& m_pachctl;
  std::optional<cluster::LogReader> m_reader;
  bool m_is_over = false;
};

std::string sent_text(const cluster::Outcome& outcome) {
  if (outcome.none()) return "nothing new";
  if (outcome.source.none()) return "sent the spec";
  const auto removed = outcome.source.removed.size();
  std::string text;
  if (!outcome.source.sent.empty()) text = "sent " + base::count_of(outcome.source.sent.size(), "file");
  if (removed == 0) return text;
  return text + (text.empty() ? "removed " : ", removed ") + base::count_of(removed, "file");
}

std::string job_text(const Job& job) {
  std::string text = "job " + job.id + ": " + base::count_of(job.total, "datum");
  if (job.skipped > 0) text += " (" + std::to_string(job.skipped) + " skipped)";
  text += ", " + std::to_string(job.failed) + " failed";
  if (job.state == JobState::failed && job.failed == 0) text += ", " + job.state_name;
  return text;
}

}  // namespace

// Without a terminal `dev` prints a line.
ClusterRound::ClusterRound() : m_is_quiet(::isatty(STDERR_FILENO) == 0) {}

void ClusterRound::passed_on(const std::string& pipeline) { m_parts.push_back({pipeline, "sent as is"}); }

base::Result<int> ClusterRound::follow(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                       const cluster::Outcome& outcome) {
  auto& part = m_parts.emplace_back(Part{pipeline, sent_text(outcome), /*failed=*/true});
  const auto begin = Clock::now();
  std::optional<Clock::duration> build_time;
  FollowedLog build_log(pachctl);
  FollowedLog program_log(pachctl);
  const auto looked = [&](const cluster::Jobs& jobs) {
    if (jobs.build) build_log.look(*jobs.build);
    if (jobs.build && cluster::has_ended(*jobs.build) && !build_time) build_time = Clock::now() - begin;
    if (jobs.running) program_log.look(*jobs.running);
  };
  const bool tells = !m_is_quiet;
  BASE_TRY_ASSIGN(const auto jobs, wait_for_pipeline(pachctl, pipeline, outcome.id, tells, looked));
  // Of jobs that were there before nobody saw how long they took.
  if (jobs.build && jobs.build->state == JobState::failed) {
    part.text += ", build failed";
    return fail_of(*jobs.build);
  }
  if (build_time && !outcome.id.empty()) part.text += ", build " + base::format_duration(*build_time);
  part.text += ", " + job_text(*jobs.running);
  if (jobs.running->state == JobState::failed) return fail_of(*jobs.running);
  part.failed = false;
  return 0;
}

RoundSummary ClusterRound::summary() const {
  constexpr std::size_t k_most = 20;  // more is nothing for a line
  RoundSummary summary;
  std::vector<std::string> texts;
  for (const auto& part : m_parts) {
    summary.failed += part.failed ? 1 : 0;
    texts.push_back((m_parts.size() > 1 ? part.pipeline + ": " : "") + part.text);
  }
  if (texts.size() > k_most) {
    const auto more = texts.size() - k_most;
    texts.resize(k_most);
    texts.push_back("and " + base::count_of(more, "pipeline") + " more");
  }
  summary.text = base::join(texts, "; ");
  return summary;
}

}  // namespace commands
