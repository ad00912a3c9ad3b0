// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_report.h"

#include <algorithm>
#include <variant>

#include "base/files.h"
#include "base/text.h"
#include "pachbuild/commands/datum_log.h"
#include "pachbuild/commands/left_out.h"
#include "pachbuild/local/results/own_folder.h"
#include "report/report.h"
#include "report/terminal.h"
#include "report/terminal_text.h"

namespace commands {
namespace {

using base::ErrorKind;
using local::Phase;

// Of a failed datum's log, the last part; and the number of datums whose logs are shown, of those that say
// something else.
constexpr std::size_t k_log_shown = 8192;
constexpr std::size_t k_logs_shown = 3;
// So many datums may surprise the person: their number is said before they run.
constexpr std::size_t k_many = 10'000;
// Where nothing is drawn, it is said so often how far everything is.
constexpr std::chrono::seconds k_between_lines{30};
// Of what a build prints that nobody wants to see unless it fails, the end.
constexpr std::size_t k_build_kept = std::size_t{256} << 10;

}  // namespace

std::string RunReport::prefix(const std::string& pipeline) const {
  return m_options.name_pipelines && !pipeline.empty() ? pipeline + ": " : "";
}

void RunReport::info(const std::string& pipeline, const std::string& text) {
  if (m_options.amount != Amount::failures) report::info(prefix(pipeline) + text);
}

void RunReport::warn(const std::string& pipeline, const std::string& text) {
  if (m_options.amount != Amount::failures) report::warn(prefix(pipeline) + text);
}

void RunReport::warn_of_failure(const std::string& pipeline, const std::string& text) {
  report::warn(prefix(pipeline) + text);
}

void RunReport::show(const std::string& pipeline, const std::string& text, const std::string& lead) {
  if (report::is_json()) return report::output(text);
  // What a program prints is made harmless before links are put into it.
  std::string shown = report::is_terminal() ? report::for_terminal(text) : text;
  if (const auto names = m_options.names.find(pipeline); names != m_options.names.end())
    shown = names->second.in_text(shown);
  if (!shown.empty() && shown.back() != '\n') shown += '\n';
  report::write(lead.empty() ? shown : view::led_by(lead, shown));
}

void RunReport::show_build(const std::string& pipeline, const std::string& lines) {
  if (lines.empty()) return;
  // The builder's own log is JSON then.
  if (report::is_json()) return report::write(lines);
  // Of builds that go on at once the lines come in any order.
  if (m_options.amount != Amount::failures) return show(pipeline, lines, prefix(pipeline));
  auto& kept = m_builds[pipeline];
  kept += lines;
  if (kept.size() > k_build_kept) kept.erase(0, kept.find('\n', kept.size() - k_build_kept) + 1);
}

void RunReport::tell(const local::Event& event) {
  m_state.take(event);
  std::visit([&](const auto& what) { take(event.pipeline, what); }, event.what);
}

void RunReport::take(const std::string& pipeline, const local::Warned& event) { warn(pipeline, event.what); }

void RunReport::take(const std::string& pipeline, const local::Hinted& event) {
  info("", "hint: " + prefix(pipeline) + event.what);
}

void RunReport::take(const std::string& pipeline, const local::SourceLeftOut& event) {
  info(pipeline, left_out_line(event.source, event.paths));
  m_left_out[pipeline] = {.source = event, .paths = event.paths, .build_end = {}};
}

// Of all that is left out, what most likely has made something fail, once.
void RunReport::tell_missed(const std::string& pipeline, std::string_view log) {
  const auto known = m_left_out.find(pipeline);
  if (known == m_left_out.end()) return;
  auto& [paths, folder] = known->second.source;
  const auto missed = missed_path(paths, log);
  if (!missed) return;
  warn_of_failure(pipeline, missed_line(folder, *missed));
  std::erase(paths, *missed);
}

// The builder does not know what is left out, and suggests installing it: only we tell what to do. Where
// warnings are not shown, a failure tells it.
std::string RunReport::without_missed_imports(const std::string& pipeline, const std::string& lines) {
  const auto known = m_left_out.find(pipeline);
  if (known == m_left_out.end()) return lines;
  auto& source = known->second.source;
  std::string others;
  for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
    end = std::min(lines.find('\n', begin), lines.size() - 1) + 1;
    const auto line = lines.substr(begin, end - begin);
    const auto missed = missed_imports(known->second.paths, line);
    if (missed.empty()) others += line;
    if (m_options.amount == Amount::failures) continue;
    for (const auto& path : missed) {
      if (std::erase(source.paths, path) > 0) warn(pipeline, missed_line(source.source, path));
    }
  }
  return others;
}

void RunReport::take(const std::string& pipeline, const local::BuildPrints& event) {
  if (const auto known = m_left_out.find(pipeline); known != m_left_out.end()) {
    auto& end = known->second.build_end;
    end += event.text;
    if (end.size() > k_log_shown) end.erase(0, end.size() - k_log_shown);
  }
  show_build(pipeline, without_missed_imports(pipeline, m_lines.add(pipeline, event.text)));
}

void RunReport::take(const std::string& pipeline, const local::PhaseEnds& event) {
  if (event.phase != Phase::building) return;
  show_build(pipeline, without_missed_imports(pipeline, m_lines.finish(pipeline)));
  if (event.succeeded) {
    info(pipeline, "build: done in " + base::format_duration(event.elapsed));
  } else if (const auto known = m_left_out.find(pipeline); known != m_left_out.end()) {
    tell_missed(pipeline, known->second.build_end);
  }
  if (const auto kept = m_builds.find(pipeline); kept != m_builds.end()) {
    if (!event.succeeded) show(pipeline, kept->second, prefix(pipeline));
    m_builds.erase(kept);
  }
}

void RunReport::take(const std::string& pipeline, const local::Explained& event) {
  // Asked for, whatever else is shown.
  if (m_options.explain) report::info(prefix(pipeline) + "explain: " + event.what + ": " + event.because);
}

void RunReport::take(const std::string& pipeline, const local::Counted& event) {
  if (event.datums == 0) warn(pipeline, "the input has no datums");
  if (event.datums >= k_many) info(pipeline, "datums: " + base::format_number(event.datums) + " in total");
}

void RunReport::take(const std::string& pipeline, const local::DatumStarts& event) {
  if (m_options.amount == Amount::everything)
    info(pipeline, "datum " + view::short_name(event.datum) + ": started (" + event.datum.label + ")");
}

void RunReport::take(const std::string& pipeline, const local::DatumPrints& event) {
  if (m_options.show_logs)
    show_lines(pipeline, event.datum, m_lines.add(event.datum.id + pipeline, event.text));
}

void RunReport::show_lines(const std::string& pipeline, const local::DatumName& datum,
                           const std::string& lines) {
  if (!lines.empty()) show(pipeline, lines, prefix(pipeline) + view::short_name(datum) + " | ");
}

void RunReport::take(const std::string& pipeline, const local::DatumEnds& event) {
  show_lines(pipeline, event.datum, m_lines.finish(event.datum.id + pipeline));
  if (event.state == local::DatumState::failed) return tell_failure(pipeline, event);
  if (m_options.amount != Amount::everything) return;
  info(pipeline, "datum " + view::short_name(event.datum) + ": " +
                     (event.state == local::DatumState::recovered ? "recovered by err_cmd" : "succeeded") +
                     " in " + base::format_duration(event.elapsed) + ", " +
                     base::count_of(event.files, "file") + " of " + base::format_bytes(event.bytes));
}

void RunReport::tell_failure(const std::string& pipeline, const local::DatumEnds& event) {
  const auto& label = event.datum.label;
  const std::string log = end_of_log(event.log, k_log_shown);
  auto& [kinds, logs] = m_failures[pipeline];
  logs = base::fs::path(event.log).parent_path().string();
  const bool is_new = kinds.add(label, event.reason, log);
  if (m_options.show_logs || is_new)
    warn_of_failure(pipeline, "datum " + label + " failed: " + event.reason + " (log: " + event.log + ")");
  tell_missed(pipeline, log);
  if (m_options.show_logs || !is_new) return;
  const auto count = kinds.all().size();
  if (count <= k_logs_shown && !log.empty()) show(pipeline, log);
  if (count == k_logs_shown + 1)
    warn_of_failure(pipeline, "the logs of further failed datums are not shown here");
}

void RunReport::take(const std::string& pipeline, const local::PipelineEnds& event) {
  tell_equal_failures(pipeline);
  std::string text = "datums: " + std::to_string(event.run) + " processed";
  if (event.recovered > 0) text += " (" + std::to_string(event.recovered) + " recovered by err_cmd)";
  text += ", " + std::to_string(event.skipped) + " skipped";
  if (event.failed > 0) text += ", " + std::to_string(event.failed) + " failed";
  if (event.unselected > 0) text += ", " + std::to_string(event.unselected) + " not selected";
  if (event.conflicting > 0)
    text += ", " + std::to_string(event.conflicting) + " left out because of conflicting paths";
  info(pipeline, text + ", " + base::format_duration(event.elapsed) + " in total");
  if (event.exported) {
    info(pipeline, "output: " + event.output + " (" + base::count_of(event.files, "file") + ", " +
                       base::format_bytes(event.bytes) + ")");
  }
  if (event.failed == 0) {
    // That the input has no datums has been told.
    if (event.files == 0 && event.conflicting == 0 && event.run + event.skipped > 0)
      warn(pipeline, "no datum wrote a file to /pfs/out");
    return;
  }
  const std::string failures = base::count_of(event.failed, "datum") + " failed";
  std::string kept;
  if (event.run + event.skipped > 0) kept = "the results of the other datums are kept for the next run";
  if (event.partial) {
    report::fail({ErrorKind::step_failed, event.output,
                  failures + "; " + (event.failed == 1 ? "its" : "their") + " output is missing",
                  (base::fs::path(event.output) / local::k_own_folder / "missing").string() + " lists " +
                      (event.failed == 1 ? "it" : "them")});
  } else if (event.output.empty()) {
    report::fail({ErrorKind::step_failed, "", prefix(pipeline) + failures, kept});
  } else {
    if (!kept.empty()) kept += "; use pachbuild run --partial to write them now";
    report::fail(
        {ErrorKind::step_failed, event.output, failures + ", so the output folder was not changed", kept});
  }
}

// With --logs each has been told.
void RunReport::tell_equal_failures(const std::string& pipeline) {
  const auto failures = m_failures.extract(pipeline);
  if (failures.empty() || m_options.show_logs) return;
  for (const auto& kind : failures.mapped().kinds.all()) {
    if (kind.more > 0)
      warn_of_failure(pipeline, summary_of(kind) + " (logs: " + failures.mapped().logs + ")");
  }
}

void RunReport::take(const std::string& pipeline, const local::PipelineFails& event) {
  auto error = event.error;
  tell_equal_failures(pipeline);
  const bool was_told = error.where.empty() && error.what.empty();
  if (!was_told) {
    if (error.where.empty() && m_options.name_pipelines) error.where = pipeline;
    report::fail(error);
  } else if (m_options.name_pipelines) {
    warn_of_failure(pipeline, "could not be built");
  }
}

void RunReport::take(const std::string& pipeline, const local::PipelineLeftOut& event) {
  warn_of_failure(
      "", "pipeline " + pipeline + " was not run: it reads " + event.because + ", which has no result");
}

void RunReport::take(const std::string&, const local::CacheShrunk& event) {
  const auto what = event.datums == 0 ? "logs: " : "results: " + base::count_of(event.datums, "datum") + ", ";
  info("", "cache: removed the least recently used " + what + base::format_bytes(event.bytes));
}

// Whoever reads a log, or waits for a CI job, knows that it goes on.
void RunReport::tick() {
  const auto now = m_options.now();
  if (m_options.is_drawn || now - m_told < k_between_lines) return;
  m_told = now;
  if (const auto text = view::progress_text(m_state, now); !text.empty()) info("", "running: " + text);
}

}  // namespace commands
