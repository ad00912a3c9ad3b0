// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/trace.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "pachbuild/history/words.h"

namespace history {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_phases_thread = 1;  // and the lanes after it
constexpr std::size_t k_run_process = 1;    // and the pipelines after it; 0 is the kernel's idle task

const char* name_of(DatumState state) {
  switch (state) {
    case DatumState::skipped:
      return "skipped";
    case DatumState::succeeded:
      return "succeeded";
    case DatumState::recovered:
      return "recovered";
    case DatumState::failed:
      return "failed";
    case DatumState::unfinished:
      return "unfinished";
  }
  return "";
}

// One of the colours that the format has names for.
const char* colour_of(DatumState state) {
  switch (state) {
    case DatumState::failed:
      return "terrible";
    case DatumState::recovered:
      return "bad";
    case DatumState::unfinished:
      return "grey";
    default:
      return "good";
  }
}

class Trace {
 public:
  explicit Trace(const Run& run) : m_run(run) {
    name_process(k_run_process, "pachbuild");
    add_phases(k_run_process, run.phases);
    for (std::size_t i = 0; i < run.pipelines.size(); ++i) add(run.pipelines[i], k_run_process + 1 + i);
  }

  [[nodiscard]] std::string text() const {
    const Json whole = {{"displayTimeUnit", "ms"},
                        {"otherData",
                         {{"version", "pachbuild " + m_run.version},
                          {"command", run_again(m_run)},
                          {"started", std::to_string(m_run.started)},
                          {"exit code", std::to_string(m_run.exit_code)}}},
                        {"traceEvents", m_events}};
    return base::json_text(whole) + "\n";
  }

 private:
  void add_metadata(std::size_t process, std::size_t thread, const char* name, Json arguments) {
    m_events.push_back(
        {{"name", name}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", std::move(arguments)}});
  }
  void name_process(std::size_t process, const std::string& name) {
    add_metadata(process, 0, "process_name", {{"name", name}});
    add_metadata(process, 0, "process_sort_index", {{"sort_index", process}});
  }
  void name_thread(std::size_t process, std::size_t thread, const std::string& name) {
    add_metadata(process, thread, "thread_name", {{"name", name}});
    add_metadata(process, thread, "thread_sort_index", {{"sort_index", thread}});
  }
  void add_span(std::size_t process, std::size_t thread, const std::string& name, const char* category,
                const Span& span, Json arguments, const char* colour = nullptr) {
    Json event = {{"name", name},
                  {"cat", category},
                  {"ph", "X"},
                  {"ts", span.begin.count()},
                  {"dur", span.length().count()},
                  {"pid", process},
                  {"tid", thread},
                  {"args", std::move(arguments)}};
    if (colour != nullptr) event["cname"] = colour;
    m_events.push_back(std::move(event));
  }

  void add_phases(std::size_t process, const std::vector<Phase>& phases) {
    if (phases.empty()) return;
    name_thread(process, k_phases_thread, "phases");
    for (const auto& phase : phases) {
      Json arguments = Json::object();
      if (phase.bytes > 0) arguments["bytes"] = phase.bytes;
      const std::string name = name_of(phase.kind) + (phase.of.empty() ? "" : " " + shown(phase.of));
      add_span(process, k_phases_thread, name, "phase", phase.span, std::move(arguments));
    }
  }

  void add(const Pipeline& pipeline, std::size_t process) {
    name_process(process, shown(pipeline.name));
    add_phases(process, pipeline.phases);
    for (std::size_t lane = 0; lane < pipeline.lanes; ++lane)
      name_thread(process, k_phases_thread + 1 + lane, "worker " + std::to_string(lane + 1));
    std::vector<const Datum*> ran;
    for (const auto& datum : pipeline.datums) {
      if (datum.state != DatumState::skipped) ran.push_back(&datum);
    }
    for (const auto* datum : ran) add_datum(pipeline, *datum, process);
    count(ran, pipeline, process);
  }

  void add_datum(const Pipeline& pipeline, const Datum& datum, std::size_t process) {
    Json arguments = {{"id", datum.name.id},
                      {"number", datum.name.number},
                      {"state", name_of(datum.state)},
                      {"files", datum.files},
                      {"bytes", datum.bytes}};
    if (datum.failure) arguments["reason"] = shown(pipeline.failures[*datum.failure].reason);
    if (!datum.because.empty()) arguments["because"] = shown(datum.because);
    add_span(process, k_phases_thread + 1 + datum.lane, shown(datum.name.label), "datum", datum.span,
             std::move(arguments), colour_of(datum.state));
  }

  // The counter at its beginning and after each datum.
  void count(std::vector<const Datum*> ran, const Pipeline& pipeline, std::size_t process) {
    std::sort(ran.begin(), ran.end(),
              [](const Datum* a, const Datum* b) { return a->span.end < b->span.end; });
    std::size_t done = pipeline.count(DatumState::skipped);
    std::size_t failed = 0;
    const auto add = [&](Moment time) {
      m_events.push_back({{"name", "datums"},
                          {"ph", "C"},
                          {"ts", time.count()},
                          {"pid", process},
                          {"args", {{"done", done}, {"failed", failed}}}});
    };
    if (!ran.empty()) {
      const auto first = std::min_element(ran.begin(), ran.end(), [](const Datum* a, const Datum* b) {
        return a->span.begin < b->span.begin;
      });
      add((*first)->span.begin);
    }
    for (const auto* datum : ran) {
      if (datum->state == DatumState::unfinished) continue;
      ++(datum->state == DatumState::failed ? failed : done);
      add(datum->span.end);
    }
  }

  const Run& m_run;
  Json m_events = Json::array();
};

}  // namespace

std::string trace_of(const Run& run) { return Trace(run).text(); }

}  // namespace history
