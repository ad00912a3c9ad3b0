// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/json_events.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <variant>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/json_text.h"
#include "base/text.h"
#include "base/time_text.h"
#include "pachbuild/view/run_state.h"

namespace view {
namespace {

using Json = nlohmann::ordered_json;
using local::Phase;
using std::chrono::steady_clock;

constexpr int k_schema = 1;
constexpr std::chrono::seconds k_between{1};

std::string name_of(local::DatumState state) {
  switch (state) {
    case local::DatumState::succeeded:
      return "succeeded";
    case local::DatumState::recovered:
      return "recovered";
    case local::DatumState::failed:
      return "failed";
  }
  return "";
}

double seconds(steady_clock::duration duration) {
  return static_cast<double>(std::chrono::floor<std::chrono::milliseconds>(duration).count()) / 1000;
}

// "2026-11-25T22:31:45.123Z".
std::string time_text(steady_clock::time_point time) {
  const auto moment =
      std::chrono::system_clock::now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(time - steady_clock::now());
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(moment.time_since_epoch()).count();
  const auto fraction = std::to_string(1000 + milliseconds % 1000).substr(1);
  return base::time_text(milliseconds / 1000, "%Y-%m-%dT%H:%M:%S.", base::Zone::utc).value_or("") + fraction +
         "Z";
}

std::string safe(const std::string& text) { return base::hide_credentials(text); }

Json object_of(const local::DatumName& datum) {
  return {{"id", datum.id}, {"number", datum.number}, {"label", datum.label}};
}

Json objects_of(const std::vector<local::DatumInput>& inputs) {
  Json objects = Json::array();
  for (const auto& input : inputs) {
    Json object = {{"name", input.name}, {"path", input.path}};
    if (!input.file.empty()) object["file"] = input.file;
    objects.push_back(std::move(object));
  }
  return objects;
}

template <class Text>
void add_if(Json& object, const char* name, const Text& text) {
  if (!text.empty()) object[name] = text;
}

void describe(Json& object, const local::Warned& event) {
  object["event"] = "warning";
  object["message"] = safe(event.what);
}
void describe(Json& object, const local::Hinted& event) {
  object["event"] = "hint";
  object["message"] = safe(event.what);
}
void describe(Json& object, const local::PhaseBegins& event) {
  object["event"] = "phase_began";
  object["phase"] = name_of(event.phase);
  add_if(object, "of", event.of);
}
void describe(Json& object, const local::PhaseEnds& event) {
  object["event"] = "phase_ended";
  object["phase"] = name_of(event.phase);
  add_if(object, "of", event.of);
  object["succeeded"] = event.succeeded;
  object["seconds"] = seconds(event.elapsed);
}
void describe(Json& object, const local::BuildSteps& event) {
  object["event"] = "build_step";
  object["step"] = event.step;
}
void describe(Json& object, const local::BuildPrints&) { object["event"] = "build_printed"; }
void describe(Json& object, const local::SourceLeftOut& event) {
  object["event"] = "source_left_out";
  object["paths"] = event.paths;
}
void describe(Json& object, const local::Explained& event) {
  object["event"] = "explained";
  object["what"] = event.what;
  object["because"] = safe(event.because);
}
void describe(Json& object, const local::Counted& event) {
  object["event"] = "datums_counted";
  object["datums"] = event.datums;
}
void describe(Json& object, const local::DatumSkipped& event) {
  object["event"] = "datum_skipped";
  object["datum"] = object_of(event.datum);
  object["inputs"] = objects_of(event.inputs);
  object["log"] = event.log;
  object["files"] = event.files;
  object["bytes"] = event.bytes;
}
void describe(Json& object, const local::DatumsBegin& event) {
  object["event"] = "datums_began";
  object["datums"] = event.datums;
}
void describe(Json& object, const local::DatumStarts& event) {
  object["event"] = "datum_started";
  object["datum"] = object_of(event.datum);
  object["inputs"] = objects_of(event.inputs);
  object["log"] = event.log;
  add_if(object, "because", safe(event.because));
}
void describe(Json& object, const local::DatumPrints& event) {
  object["event"] = "datum_printed";
  object["datum"] = object_of(event.datum);
}
void describe(Json& object, const local::DatumEnds& event) {
  object["event"] = "datum_ended";
  object["datum"] = object_of(event.datum);
  object["state"] = name_of(event.state);
  add_if(object, "reason", safe(event.reason));
  if (event.exit_code) object["exit_code"] = *event.exit_code;
  object["log"] = event.log;
  object["seconds"] = seconds(event.elapsed);
  object["files"] = event.files;
  object["bytes"] = event.bytes;
}
void describe(Json& object, const local::PipelineEnds& event) {
  object["event"] = "pipeline_ended";
  object["run"] = event.run;
  object["skipped"] = event.skipped;
  object["recovered"] = event.recovered;
  object["failed"] = event.failed;
  object["unselected"] = event.unselected;
  object["conflicting"] = event.conflicting;
  object["output"] = event.output;
  object["exported"] = event.exported;
  object["partial"] = event.partial;
  object["files"] = event.files;
  object["bytes"] = event.bytes;
  object["seconds"] = seconds(event.elapsed);
}
void describe(Json& object, const local::PipelineFails& event) {
  const auto& error = event.error;
  object["event"] = "pipeline_failed";
  add_if(object, "where", safe(error.where));
  add_if(object, "message", safe(error.what));
  add_if(object, "hint", safe(error.hint));
  object["code"] = static_cast<int>(error.kind);
}
void describe(Json& object, const local::PipelineLeftOut& event) {
  object["event"] = "pipeline_left_out";
  object["because"] = event.because;
}
void describe(Json& object, const local::CacheShrunk& event) {
  object["event"] = "cache_shrunk";
  object["datums"] = event.datums;
  object["bytes"] = event.bytes;
}

std::string line_of(const Json& object) { return base::json_text(object) + "\n"; }

Json begin(steady_clock::time_point time, const std::string& pipeline) {
  Json object = {{"time", time_text(time)}, {"event", ""}};
  add_if(object, "pipeline", pipeline);
  return object;
}

Json object_of(const local::Event& event) {
  auto object = begin(event.time, event.pipeline);
  std::visit([&](const auto& what) { describe(object, what); }, event.what);
  return object;
}

}  // namespace

JsonEvents::JsonEvents(std::function<void(std::string_view)> write, bool has_all_lines)
    : m_write(std::move(write)), m_has_all_lines(has_all_lines) {
  auto object = begin(steady_clock::now(), "");
  object["event"] = "run_began";
  object["schema"] = k_schema;
  object["version"] = PACHBUILD_VERSION;
  m_write(line_of(object));
}

// An event for each line of what was printed.
void JsonEvents::write_lines(const local::Event& event, const std::string& lines) {
  if (lines.empty()) return;
  auto object = object_of(event);
  for (const auto& line : base::split(std::string_view(lines).substr(0, lines.size() - 1), '\n')) {
    object["line"] = line;
    m_write(line_of(object));
  }
}

void JsonEvents::tell(const local::Event& event) {
  measure(event);
  const auto& pipeline = event.pipeline;
  if (const auto* prints = std::get_if<local::BuildPrints>(&event.what))
    return write_lines(event, m_lines.add(pipeline, prints->text));
  if (const auto* prints = std::get_if<local::DatumPrints>(&event.what)) {
    if (m_has_all_lines)
      return write_lines(event, m_lines.add(pipeline + " " + prints->datum.id, prints->text));
    const auto line = shown_line(prints->text);
    return write_lines(event, line.empty() ? "" : line + "\n");
  }
  // What is left of a last line comes before the end.
  if (std::holds_alternative<local::PhaseEnds>(event.what)) {
    write_lines({pipeline, local::BuildPrints{}, event.time}, m_lines.finish(pipeline));
  } else if (const auto* ends = std::get_if<local::DatumEnds>(&event.what)) {
    write_lines({pipeline, local::DatumPrints{ends->datum, ""}, event.time},
                m_lines.finish(pipeline + " " + ends->datum.id));
  }
  m_write(line_of(object_of(event)));
}

void JsonEvents::measure(const local::Event& event) {
  const auto forget = [&](Phase phase, const std::string& of) {
    std::erase_if(m_measured, [&](const auto& one) {
      return one.pipeline == event.pipeline && one.phase == phase && one.of == of;
    });
  };
  if (const auto* begins = std::get_if<local::PhaseBegins>(&event.what)) {
    if (begins->bytes) m_measured.push_back({event.pipeline, begins->phase, begins->of, "", begins->bytes});
  } else if (const auto* step = std::get_if<local::BuildSteps>(&event.what)) {
    forget(Phase::building, "");
    if (step->meter) m_measured.push_back({event.pipeline, Phase::building, "", step->step, step->meter});
  } else if (const auto* ends = std::get_if<local::PhaseEnds>(&event.what)) {
    forget(ends->phase, ends->of);
  }
}

void JsonEvents::tick() {
  const auto now = steady_clock::now();
  if (now - m_told < k_between) return;
  m_told = now;
  for (auto& one : m_measured) {
    const auto done = one.meter->done.load();
    if (done == one.told) continue;
    one.told = done;
    auto object = begin(now, one.pipeline);
    object["event"] = "phase_progress";
    object["phase"] = name_of(one.phase);
    add_if(object, "of", one.of);
    add_if(object, "step", one.step);
    object["unit"] = one.meter->counts_files ? "files" : "bytes";
    object["done"] = done;
    if (const auto all = one.meter->all.load(); all > 0) object["all"] = all;
    m_write(line_of(object));
  }
}

void JsonEvents::finish(int exit_code) {
  auto object = begin(steady_clock::now(), "");
  object["event"] = "run_ended";
  object["exit_code"] = exit_code;
  m_write(line_of(object));
}

}  // namespace view
