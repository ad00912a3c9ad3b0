// SPDX-License-Identifier: Apache-2.0
// One pipeline of a session: its build, its datums, its result.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "pachbuild/local/plan/datum_list.h"
#include "pachbuild/local/plan/pipelines.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/local/pool/worker_host.h"
#include "pachbuild/local/record/this_run.h"
#include "pachbuild/local/results/collector.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/results/result_store.h"
#include "pachbuild/local/session/board.h"
#include "pachbuild/local/session/build.h"
#include "pachbuild/local/session/events.h"
#include "pachbuild/local/session/job.h"
#include "pachbuild/local/session/session.h"
#include "process/interruption.h"

namespace local {

// What all pipelines of a session share; everything outlives them.
struct SessionParts {
  const Plan& plan;
  const SessionOptions& options;
  base::fs::path cache;
  ResultStore& store;
  Board& board;
  Slots& slots;
  Builds& builds;
  Events& events;  // safe on any thread
  process::Interruption& interruption;
};

class PipelineRun {
 public:
  PipelineRun(const PlannedPipeline& pipeline, SessionParts& session);

  // That it can be run, as far as that can be known before anything runs; nothing is made.
  base::Status check();

  // Makes the folders that it needs, once all pipelines of the session were checked.
  base::Status prepare();

  // Builds it, waits for what it reads, runs its datums, and puts its result on the board and into its
  // folder. Whatever happens, the board knows in the end. Gives the exit code, which is not that of an
  // interruption.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  base::Status check_folders() const;
  base::Status check_layout() const;
  base::Status check_own_commands() const;
  base::Status find_containers();
  base::Result<int> try_run();
  // Says that it can be run as it was asked for.
  void accept() const;
  base::Status build_source();
  base::Status list_datums();
  base::Status list_work();
  base::Status check_out(const std::vector<std::size_t>& datums);
  base::Result<int> run_shell();
  [[nodiscard]] std::size_t place_of_shell() const;
  base::Status run_datums();
  // After datums that may be worth it.
  base::Status time_imports(Pool& pool, const WorkerHost& host, const process::Environment& environment);
  [[nodiscard]] std::chrono::milliseconds usual_time() const;
  base::Status collect(Collector& collector, bool wait);
  base::Status take(Collector& collector, const Task& task, const TaskOutcome& outcome,
                    std::optional<Slots::Slot> slot);
  [[nodiscard]] base::Status check_outputs() const;
  std::vector<DatumOutput> withdraw_conflicts();
  base::Status export_results();
  void export_what_has_ended();
  void tell(Event::What what) const { m_session.events.tell({m_spec.name, std::move(what)}); }
  void tell_end(const Task& task, DatumState state, const std::vector<ResultFile>& files = {});
  void tell_failure(const Task& task, const std::string& reason, std::optional<int> exit_code = {});
  void tell_silence(const Task& task);

  [[nodiscard]] Job job() const;
  // Notes what this run is, for those who ask later.
  void begin_record();
  void explain_build();
  void save_record();
  // Of a run without a record, why there is none.
  void note_early_end(const std::string& why);
  [[nodiscard]] RunRecord::Datum& record_of(const Task& task) {
    return m_run->record().datums[work_of(task).index];
  }
  [[nodiscard]] std::unique_ptr<WorkerHost> datum_host() const;
  // Of the plan it is the one that is meant: others run for its sake.
  [[nodiscard]] bool is_last() const { return &m_pipeline == &m_session.plan.pipelines.back(); }
  [[nodiscard]] bool is_exported() const { return !m_options.output.empty(); }
  // What all datums see.
  [[nodiscard]] process::Environment datum_environment(const WorkerHost& host) const;
  // A datum that is to run.
  struct Work {
    std::size_t index = 0;  // in m_datums
    std::string key;        // of its result
  };
  [[nodiscard]] const Work& work_of(const Task& task) const { return m_work[m_places.at(task.id)]; }
  [[nodiscard]] DatumName name_of(const Task& task) const {
    const auto index = work_of(task).index;
    return {task.id, index + 1, m_run->record().datums[index].label};
  }
  // The places in m_datums of those in m_work.
  [[nodiscard]] std::vector<std::size_t> running_datums() const;
  [[nodiscard]] std::string log_of(const std::string& key) const {
    return (m_own / "logs" / (key + ".log")).string();
  }
  // A command of the pipeline's own, as it is started.
  [[nodiscard]] std::vector<std::string> own_command(std::vector<std::string> command) const;
  [[nodiscard]] Task make_task(const Work& work, const WorkerHost& host, process::Environment environment);
  [[nodiscard]] std::string free_output();
  [[nodiscard]] PipelineEnds report(Clock::duration elapsed) const;

  const PlannedPipeline& m_pipeline;
  const spec::PipelineSpec& m_spec;
  SessionParts& m_session;
  const SessionOptions& m_options;
  base::fs::path m_output;

  std::optional<Container> m_builder;  // of the build and of the datums; none on this machine
  std::optional<Container> m_runner;
  std::string m_secrets_digest;
  base::fs::path m_own;  // of this pipeline and output folder in the cache: logs
  std::optional<OutputFolder> m_folder;
  // Of datums: no container sees more of it than its own worker's part.
  std::optional<base::Workspace> m_scratch;
  Artifact m_artifact;
  std::optional<ThisRun> m_run;
  DatumList m_datums;
  std::optional<std::vector<std::size_t>> m_selected;     // in m_datums, in their order; none: all
  std::vector<Work> m_work;                               // in the order in which it is done
  std::unordered_map<std::string, std::size_t> m_places;  // in m_work, by the datums' ids
  int m_made_outputs = 0;
  std::vector<std::string> m_free_outputs;
  std::vector<DatumOutput> m_outputs;
  std::vector<MissingDatum> m_missing;
  std::size_t m_unselected = 0;           // of them, which nobody has asked for
  std::size_t m_conflicting = 0;          // of them, whose output is left out because of a conflict
  std::optional<base::Error> m_conflict;  // the first one
  std::size_t m_skipped = 0;
  std::size_t m_recovered = 0;
  bool m_is_recorded = false;
  bool m_told_of_logs = false;  // that they are incomplete
  std::unordered_map<std::string, std::string>
      m_strangers;  // what datums made in /pfs beside out, by their ids
  bool m_told_of_stranger = false;
  bool m_looked_into_silence = false;
  std::optional<std::string> m_hint;  // for the end

  // What was exported while datums ran, of m_outputs, which has those of skipped datums first.
  struct EarlyExports {
    bool go_on = false;
    Clock::time_point begin;
    Clock::time_point next;
    bool has_skipped = false;
    std::size_t end = 0;  // of those of datums that ran
  };
  EarlyExports m_early;
};

}  // namespace local
