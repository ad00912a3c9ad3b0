// SPDX-License-Identifier: Apache-2.0
// Collects what a session tells into the history of the run, for its report and its trace.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pachbuild/history/run.h"
#include "pachbuild/local/plan/pipelines.h"
#include "pachbuild/local/session/events.h"

namespace commands {

class RunRecorder final : public local::Events {
 public:
  // The run begins now; `run` has what is known of it before.
  RunRecorder(history::Run run, const local::Plan& plan,
              std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now());

  void tell(const local::Event& event) override;

  // The run has ended, or what there was of it.
  [[nodiscard]] history::Run finish(
      int exit_code, std::chrono::steady_clock::time_point end = std::chrono::steady_clock::now()) &&;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using PhaseName = std::pair<local::Phase, std::string>;

  // What is known of a pipeline only while it runs.
  struct Progress {
    std::unordered_map<std::string, std::size_t> datums;  // places by id
    std::map<std::string, std::size_t> failures;          // kinds by what they have in common
    std::map<PhaseName, std::size_t> phases;              // those that have not ended
    std::map<PhaseName, std::shared_ptr<const local::Meter>> meters;
    std::string build_log;  // the end of it
    std::size_t to_run = 0;
  };

  struct Place {
    history::Pipeline* pipeline = nullptr;  // none: of the whole run
    Progress* progress = nullptr;
    Time time;
  };

  void take(const Place& place, const local::Warned& event);
  void take(const Place& place, const local::PhaseBegins& event);
  void take(const Place& place, const local::PhaseEnds& event);
  void take(const Place& place, const local::BuildPrints& event);
  void take(const Place& place, const local::Explained& event);
  void take(const Place& place, const local::DatumSkipped& event);
  void take(const Place& place, const local::DatumsBegin& event);
  void take(const Place& place, const local::DatumStarts& event);
  void take(const Place& place, const local::DatumEnds& event);
  void take(const Place& place, const local::PipelineEnds& event);
  void take(const Place& place, const local::PipelineFails& event);
  void take(const Place& place, const local::PipelineLeftOut& event);
  template <class Other>
  static void take(const Place&, const Other&) {}

  [[nodiscard]] history::Moment moment(Time time) const;
  history::Datum& datum_of(const Place& place, const local::DatumName& name);
  std::size_t kind_of(const Place& place, const local::DatumEnds& event);
  std::vector<history::Phase>& phases_of(const Place& place);
  void settle(history::Pipeline& pipeline, const Progress& progress);

  history::Run m_run;
  const Time m_start;
  std::map<std::string, std::size_t> m_places;  // of the pipelines, by name
  std::vector<Progress> m_progress;             // of the pipelines, and of the whole run
  std::size_t m_skipped_rows = 0;
  std::size_t m_log_bytes = 0;  // kept so far
};

}  // namespace commands
