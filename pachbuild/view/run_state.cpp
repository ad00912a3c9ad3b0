// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/run_state.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include "base/text.h"
#include "report/columns.h"
#include "report/terminal_text.h"

namespace view {
namespace {

using local::Phase;
using Duration = std::chrono::steady_clock::duration;

constexpr std::size_t k_name_columns = 24;
// Of what a program printed, the end that has its last line.
constexpr std::size_t k_line_bytes = 4096;
constexpr std::size_t k_bar_columns = 20;
// Before that a guess would only jump about.
constexpr std::chrono::seconds k_first_guess{3};

constexpr char k_bold[] = "\x1b[1m";
constexpr char k_dim[] = "\x1b[2m";
constexpr char k_red[] = "\x1b[31m";
constexpr char k_plain[] = "\x1b[0m";

// Text of a line that may be coloured: its columns are those of the text alone.
class Line {
 public:
  Line(std::size_t columns, bool colours) : m_left(columns), m_colours(colours) {}

  // Adds `text` where it fits; whether it does.
  bool add(std::string_view text, const char* colour = nullptr) {
    const auto columns = report::columns_of(text);
    if (columns > m_left) return false;
    put(text, columns, colour);
    return true;
  }
  // Adds as much of it as fits.
  void add_cut(std::string_view text, const char* colour = nullptr) {
    const auto cut = report::cut_to_columns(text, m_left);
    put(cut, report::columns_of(cut), colour);
  }
  [[nodiscard]] std::size_t left() const { return m_left; }
  std::string take() { return std::move(m_text); }

 private:
  void put(std::string_view text, std::size_t columns, const char* colour) {
    const bool has_colour = colour != nullptr && m_colours && !text.empty();
    if (has_colour) m_text += colour;
    m_text += text;
    if (has_colour) m_text += k_plain;
    m_left -= columns;
  }

  std::string m_text;
  std::size_t m_left;
  bool m_colours;
};

std::string bar(std::uint64_t done, std::uint64_t all) {
  const auto full = static_cast<std::size_t>(static_cast<double>(std::min(done, all)) /
                                             static_cast<double>(all) * static_cast<double>(k_bar_columns));
  return "[" + std::string(full, '#') + std::string(k_bar_columns - full, '.') + "]";
}

std::string count_text(const RunState::Pipeline& pipeline) {
  return base::format_number(pipeline.done) + " of " + base::count_of(pipeline.to_run, "datum");
}

std::string name_of(const RunState::Pipeline& pipeline) {
  return pipeline.name.empty() ? "" : pipeline.name + ": ";
}

std::string left_text(Duration left) { return "about " + short_duration(left) + " to go"; }

// What fits, the most important first.
std::string datums_line(const RunState::Pipeline& pipeline, Time now, const Style& style) {
  Line line(style.columns, style.colours);
  line.add_cut(report::cut_to_columns(name_of(pipeline), style.columns / 2), k_bold);
  line.add_cut(count_text(pipeline));
  if (pipeline.failed > 0) line.add(", " + base::format_number(pipeline.failed) + " failed", k_red);
  if (pipeline.start) line.add(", " + short_duration(now - *pipeline.start));
  if (const auto left = pipeline.time_left(now)) line.add(", " + left_text(*left));
  if (pipeline.skipped > 0) line.add(", " + base::format_number(pipeline.skipped) + " skipped");
  if (pipeline.to_run > 1) line.add(" " + bar(pipeline.done, pipeline.to_run), k_dim);
  return line.take();
}

std::string part_line(const RunState::Pipeline& pipeline, const RunState::Part& part, Time now,
                      const Style& style) {
  Line line(style.columns, style.colours);
  line.add_cut(report::cut_to_columns(name_of(pipeline), style.columns / 2), k_bold);
  line.add_cut(text_of(part));
  line.add(", " + short_duration(now - part.start));
  if (part.meter && part.meter->all > 0) line.add(" " + bar(part.meter->done, part.meter->all), k_dim);
  if (!part.line.empty() && line.left() > k_name_columns / 2) {
    line.add("  ");
    line.add_cut(part.line, k_dim);
  }
  return line.take();
}

std::string datum_line(const RunState::Datum& datum, Time now, const Style& style) {
  Line line(style.columns, style.colours);
  line.add_cut("  ");
  const auto columns = std::min(k_name_columns, style.columns / 3);
  auto name = report::cut_front_to_columns(short_name(datum.name), columns);
  name.append(columns - report::columns_of(name), ' ');
  line.add_cut(name);
  line.add_cut("  " + short_duration(now - datum.start));
  if (!datum.line.empty()) {
    line.add("  ");
    line.add_cut(datum.line, k_dim);
  }
  return line.take();
}

}  // namespace

std::string short_name(const local::DatumName& datum) {
  std::string names;
  for (auto path : local::parts_of_label(datum.label)) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (!names.empty()) names += '+';
    names += path.substr(path.rfind('/') + 1);
  }
  return std::to_string(datum.number) + " " + report::cut_front_to_columns(names, k_name_columns);
}

std::string short_duration(Duration duration) {
  const auto seconds = std::max<std::int64_t>(std::chrono::floor<std::chrono::seconds>(duration).count(), 0);
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

std::string shown_line(std::string_view printed) {
  if (printed.size() > k_line_bytes) printed.remove_prefix(printed.size() - k_line_bytes);
  std::string line = report::for_terminal(base::last_line(printed), report::Colours::drop);
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

std::optional<Duration> RunState::Pipeline::time_left(Time now) const {
  if (!start || done == 0 || done >= to_run || now - *start < k_first_guess) return std::nullopt;
  return (now - *start) / done * (to_run - done);
}

RunState::Pipeline& RunState::pipeline(const std::string& name) {
  const auto known =
      std::find_if(m_pipelines.begin(), m_pipelines.end(), [&](const auto& one) { return one.name == name; });
  if (known != m_pipelines.end()) return *known;
  m_pipelines.push_back({.name = name});
  return m_pipelines.back();
}

void RunState::take(const local::Event& event) {
  std::visit([&](const auto& what) { take(event.pipeline, event.time, what); }, event.what);
}

void RunState::take(const std::string& name, Time time, const local::PhaseBegins& event) {
  pipeline(name).parts.push_back({event.phase, event.of, time, event.bytes, "", ""});
}

void RunState::take(const std::string& name, Time, const local::PhaseEnds& event) {
  std::erase_if(pipeline(name).parts,
                [&](const Part& part) { return part.phase == event.phase && part.of == event.of; });
}

void RunState::take(const std::string& name, Time, const local::BuildSteps& event) {
  for (auto& part : pipeline(name).parts) {
    if (part.phase != Phase::building) continue;
    part.step = event.step;
    part.meter = event.meter;
    part.line.clear();
  }
}

void RunState::take(const std::string& name, Time, const local::BuildPrints& event) {
  auto line = shown_line(event.text);
  if (line.empty()) return;
  for (auto& part : pipeline(name).parts) {
    if (part.phase != Phase::building) continue;
    part.line = line;
    // It tells of a step when that has been taken.
    part.step.clear();
    part.meter.reset();
  }
}

void RunState::take(const std::string& name, Time, const local::Counted& event) {
  pipeline(name).all = event.datums;
}

void RunState::take(const std::string& name, Time, const local::DatumSkipped&) { ++pipeline(name).skipped; }

void RunState::take(const std::string& name, Time, const local::DatumsBegin& event) {
  pipeline(name).to_run = event.datums;
}

void RunState::take(const std::string& name, Time time, const local::DatumStarts& event) {
  auto& one = pipeline(name);
  if (!one.start) one.start = time;
  one.running.push_back({event.datum, time, ""});
}

void RunState::take(const std::string& name, Time, const local::DatumPrints& event) {
  for (auto& datum : pipeline(name).running) {
    if (datum.name.id != event.datum.id) continue;
    if (auto line = shown_line(event.text); !line.empty()) datum.line = std::move(line);
  }
}

void RunState::take(const std::string& name, Time, const local::DatumEnds& event) {
  auto& one = pipeline(name);
  ++one.done;
  if (event.state == local::DatumState::failed) ++one.failed;
  std::erase_if(one.running, [&](const Datum& datum) { return datum.name.id == event.datum.id; });
}

void RunState::take(const std::string& name, Time, const local::PipelineEnds&) { end(name); }
void RunState::take(const std::string& name, Time, const local::PipelineFails&) { end(name); }

void RunState::end(const std::string& name) {
  std::erase_if(m_pipelines, [&](const Pipeline& one) { return one.name == name; });
}

std::string text_of(const RunState::Part& part) {
  const auto of = part.of.empty() ? "" : " " + part.of;
  std::string text;
  switch (part.phase) {
    case Phase::reading:
      text = "reading" + of;
      break;
    case Phase::building:
      text = part.step.empty() ? "building" : "building: " + part.step;
      break;
    case Phase::exporting:
      text = "writing the output";
      break;
  }
  if (!part.meter || part.meter->done == 0) return text;
  const auto number = [&](std::uint64_t value) {
    return part.meter->counts_files ? base::format_number(value) : base::format_bytes(value);
  };
  const std::uint64_t done = part.meter->done;
  const std::uint64_t all = part.meter->all;
  text += ": " + number(done);
  if (all > 0) text += " of " + number(all);
  return part.meter->counts_files ? text + " " + base::noun_for(all > 0 ? all : done, "file") : text;
}

std::string progress_text(const RunState& state, Time now) {
  std::vector<std::string> texts;
  for (const auto& pipeline : state.pipelines()) {
    for (const auto& part : pipeline.parts)
      texts.push_back(name_of(pipeline) + text_of(part) + ", " + short_duration(now - part.start));
    if (pipeline.done >= pipeline.to_run) continue;
    std::string text = name_of(pipeline) + count_text(pipeline);
    if (pipeline.failed > 0) text += ", " + base::format_number(pipeline.failed) + " failed";
    if (pipeline.start) text += ", " + short_duration(now - *pipeline.start);
    if (const auto left = pipeline.time_left(now)) text += ", " + left_text(*left);
    if (!pipeline.running.empty()) {
      const auto& longest = pipeline.running.front();
      text += "; longest: datum " + short_name(longest.name) + ", " + short_duration(now - longest.start);
    }
    texts.push_back(std::move(text));
  }
  return base::join(texts, "; ");
}

std::vector<std::string> lines_of(const RunState& state, Time now, const Style& style) {
  std::vector<std::string> lines;
  std::vector<std::tuple<Time, const RunState::Datum*>> datums;
  for (const auto& pipeline : state.pipelines()) {
    for (const auto& part : pipeline.parts) lines.push_back(part_line(pipeline, part, now, style));
    if (pipeline.done < pipeline.to_run) lines.push_back(datums_line(pipeline, now, style));
    for (const auto& datum : pipeline.running) datums.emplace_back(datum.start, &datum);
  }
  const auto more = [&](std::size_t count) {
    return report::cut_to_columns("  and " + base::format_number(count) + " more", style.columns);
  };
  if (lines.size() > style.lines) {
    const auto hidden = lines.size() - style.lines + 1;
    lines.resize(style.lines - 1);
    lines.push_back(more(hidden));
    return lines;
  }
  std::sort(datums.begin(), datums.end());
  const auto room = style.lines - lines.size();
  const auto shown = datums.size() <= room ? datums.size() : (room == 0 ? 0 : room - 1);
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(datum_line(*std::get<1>(datums[i]), now, style));
  if (shown < datums.size() && room > 0) lines.push_back(more(datums.size() - shown));
  return lines;
}

}  // namespace view
