// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_recorder.h"

#include <algorithm>
#include <variant>

#include "base/text.h"
#include "contract/build_record.h"
#include "contract/exit_codes.h"
#include "pachbuild/commands/datum_log.h"
#include "pachbuild/commands/failure_kinds.h"
#include "pachbuild/history/page.h"
#include "pachbuild/spec/input.h"

namespace commands {
namespace {

using history::DatumState;
using history::PipelineState;

// Of the log of a failure, the end; and of all of them together. A run can fail in ten thousand ways.
constexpr std::size_t k_log_kept = 8192;
constexpr std::size_t k_logs_kept = std::size_t{1} << 20;
constexpr std::size_t k_line_kept = 200;
constexpr std::size_t k_most_kinds = 200;
constexpr std::size_t k_most_warnings = 200;

history::Moment micros(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration_cast<history::Moment>(duration);
}

DatumState state_of(local::DatumState state) {
  switch (state) {
    case local::DatumState::succeeded:
      return DatumState::succeeded;
    case local::DatumState::recovered:
      return DatumState::recovered;
    case local::DatumState::failed:
      return DatumState::failed;
  }
  return DatumState::failed;
}

history::Build build_of(const local::BuildResult& result) {
  history::Build build{.artifact = result.version, .because = result.because};
  // A build.sh may leave none, or anything.
  const auto record = contract::parse_build_record(result.record, "build.json");
  if (!record) return build;
  build.builder = record->builder + " " + record->version;
  build.platform = record->platform.os + "/" + record->platform.architecture;
  for (const auto& part : {record->platform.libc, record->platform.interpreter}) {
    if (!part.empty()) build.platform += ", " + part;
  }
  build.program = record->program.name;
  if (!record->program.chosen.empty()) build.program += " (" + record->program.chosen + ")";
  for (const auto& bundle : record->bundles) build.bytes += bundle.bytes;
  for (const auto& package : record->packages) build.packages.push_back(contract::name_and_version(package));
  return build;
}

}  // namespace

RunRecorder::RunRecorder(history::Run run, const local::Plan& plan,
                         std::chrono::steady_clock::time_point start)
    : m_run(std::move(run)), m_start(start), m_progress(plan.pipelines.size() + 1) {
  for (const auto& [name, folder] : plan.folders) m_run.repos.push_back({name, folder});
  for (const auto& name : plan.crons) m_run.repos.push_back({name, ""});
  for (const auto& planned : plan.pipelines) {
    m_places.emplace(planned.spec.name, m_run.pipelines.size());
    auto& pipeline = m_run.pipelines.emplace_back();
    pipeline.name = planned.spec.name;
    pipeline.reads.assign(planned.reads.begin(), planned.reads.end());
    pipeline.after = planned.after;
  }
}

void RunRecorder::tell(const local::Event& event) {
  Place place{nullptr, &m_progress.back(), event.time};
  if (const auto known = m_places.find(event.pipeline); known != m_places.end()) {
    place.pipeline = &m_run.pipelines[known->second];
    place.progress = &m_progress[known->second];
  }
  std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        constexpr bool is_of_any = std::is_same_v<What, local::Warned> ||
                                   std::is_same_v<What, local::PhaseBegins> ||
                                   std::is_same_v<What, local::PhaseEnds>;
        if (is_of_any || place.pipeline != nullptr) take(place, what);
      },
      event.what);
}

void RunRecorder::take(const Place& place, const local::Warned& event) {
  auto& warnings = place.pipeline == nullptr ? m_run.warnings : place.pipeline->warnings;
  if (warnings.size() < k_most_warnings) warnings.push_back(event.what);
}

void RunRecorder::take(const Place& place, const local::PhaseBegins& event) {
  auto& phases = phases_of(place);
  const PhaseName name(event.phase, event.of);
  place.progress->phases[name] = phases.size();
  place.progress->meters[name] = event.bytes;
  const auto begin = moment(place.time);
  phases.push_back({event.phase, event.of, {begin, begin}});
}

void RunRecorder::take(const Place& place, const local::PhaseEnds& event) {
  const auto open = place.progress->phases.find({event.phase, event.of});
  if (open == place.progress->phases.end()) return;
  auto& phase = phases_of(place)[open->second];
  phase.span.end = moment(place.time);
  const auto& meter = place.progress->meters[open->first];
  if (meter != nullptr && !meter->counts_files) phase.bytes = std::max(meter->done.load(), meter->all.load());
  place.progress->phases.erase(open);
}

void RunRecorder::take(const Place& place, const local::BuildPrints& event) {
  auto& log = place.progress->build_log;
  log += event.text;
  if (log.size() <= 2 * k_log_kept) return;
  const auto line = log.find('\n', log.size() - k_log_kept);
  log.erase(0, line == std::string::npos ? log.size() - k_log_kept : line + 1);
}

void RunRecorder::take(const Place& place, const local::Explained& event) {
  if (event.build != nullptr) place.pipeline->build = build_of(*event.build);
}

void RunRecorder::take(const Place& place, const local::DatumSkipped& event) {
  ++place.pipeline->counts.at(static_cast<std::size_t>(DatumState::skipped));
  if (m_skipped_rows == history::k_most_rows) return;
  ++m_skipped_rows;
  place.pipeline->datums.push_back(
      {.name = event.datum, .state = DatumState::skipped, .files = event.files, .bytes = event.bytes});
}

void RunRecorder::take(const Place& place, const local::DatumsBegin& event) {
  place.progress->to_run = event.datums;
}

void RunRecorder::take(const Place& place, const local::DatumStarts& event) {
  auto& datum = datum_of(place, event.datum);
  datum.span = {moment(place.time), moment(place.time)};
  datum.because = event.because;
}

void RunRecorder::take(const Place& place, const local::DatumEnds& event) {
  auto& datum = datum_of(place, event.datum);
  datum.state = state_of(event.state);
  // Its output is taken after it has ended.
  const auto end = moment(place.time);
  const auto own_end = datum.span.begin + micros(event.elapsed);
  datum.span.end = event.elapsed.count() > 0 ? std::min(end, own_end) : end;
  datum.files = event.files;
  datum.bytes = event.bytes;
  if (event.state == local::DatumState::failed) datum.failure = kind_of(place, event);
}

void RunRecorder::take(const Place& place, const local::PipelineEnds& event) {
  place.pipeline->state = event.failed == 0 ? PipelineState::succeeded : PipelineState::failed;
  place.pipeline->end = event;
}

void RunRecorder::take(const Place& place, const local::PipelineFails& event) {
  place.pipeline->state = PipelineState::failed;
  place.pipeline->error = event.error;
  // One that came to an end has made something.
  if (!place.pipeline->build) place.pipeline->build_log = place.progress->build_log;
}

void RunRecorder::take(const Place& place, const local::PipelineLeftOut& event) {
  place.pipeline->state = PipelineState::left_out;
  place.pipeline->because = event.because;
}

history::Moment RunRecorder::moment(Time time) const {
  return std::max(history::Moment{}, micros(time - m_start));
}

history::Datum& RunRecorder::datum_of(const Place& place, const local::DatumName& name) {
  auto& datums = place.pipeline->datums;
  const auto [known, is_new] = place.progress->datums.try_emplace(name.id, datums.size());
  if (is_new) {
    const auto now = moment(place.time);
    datums.push_back({.name = name, .span = {now, now}});
  }
  return datums[known->second];
}

// The kind of a failure, with the end of its first log.
std::size_t RunRecorder::kind_of(const Place& place, const local::DatumEnds& event) {
  auto& kinds = place.pipeline->failures;
  const auto most = std::min(k_log_kept, k_logs_kept - m_log_bytes);
  auto log = end_of_log(event.log, k_log_kept);
  auto signature = failure_signature(event.datum.label, event.reason, log);
  const auto known = place.progress->failures.find(signature);
  if (known != place.progress->failures.end()) {
    ++kinds[known->second].count;
    return known->second;
  }
  if (kinds.size() > k_most_kinds) {
    ++kinds.back().count;
    return kinds.size() - 1;
  }
  if (kinds.size() == k_most_kinds) {
    kinds.push_back({"in other ways", "", "", 1});
    return k_most_kinds;
  }
  if (log.size() > most) log = "[…]\n" + base::shortened(base::last_line(log), k_line_kept);
  m_log_bytes += std::min(log.size(), most);
  place.progress->failures.emplace(std::move(signature), kinds.size());
  kinds.push_back({event.reason, std::move(log), event.log, 1});
  return kinds.size() - 1;
}

std::vector<history::Phase>& RunRecorder::phases_of(const Place& place) {
  return place.pipeline == nullptr ? m_run.phases : place.pipeline->phases;
}

void RunRecorder::settle(history::Pipeline& pipeline, const Progress& progress) {
  std::size_t started = 0;
  for (auto& datum : pipeline.datums) {
    if (datum.state == DatumState::skipped) continue;
    ++started;
    if (datum.state == DatumState::unfinished) datum.span.end = m_run.elapsed;
    ++pipeline.counts.at(static_cast<std::size_t>(datum.state));
  }
  pipeline.never_started = std::max(progress.to_run, started) - started;
  pipeline.counts.at(static_cast<std::size_t>(DatumState::unfinished)) += pipeline.never_started;
  history::assign_lanes(pipeline);
}

history::Run RunRecorder::finish(int exit_code, Time end) && {
  m_run.elapsed = moment(end);
  m_run.exit_code = exit_code;
  if (exit_code > contract::k_signal_base) m_run.signal = exit_code - contract::k_signal_base;
  for (std::size_t i = 0; i < m_run.pipelines.size(); ++i) {
    for (const auto& [name, place] : m_progress[i].phases)
      m_run.pipelines[i].phases[place].span.end = m_run.elapsed;
    settle(m_run.pipelines[i], m_progress[i]);
  }
  for (const auto& [name, place] : m_progress.back().phases) m_run.phases[place].span.end = m_run.elapsed;
  return std::move(m_run);
}

}  // namespace commands
