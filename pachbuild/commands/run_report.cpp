// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/run_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "pachbuild/local/results/own_folder.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
using local::DatumReport;

// Of a failed datum's log, the last part; and the number of datums whose logs are shown, of those that say
// something else.
constexpr std::size_t k_log_shown = 8192;
constexpr std::size_t k_logs_shown = 3;
// So many datums may surprise the person: their number is said before they run.
constexpr std::size_t k_many = 10'000;
// Copying that takes longer than a person waits without wondering.
constexpr std::uint64_t k_large = std::uint64_t{256} << 20;

// Without a container a program sees the logs of this machine, and may have put anything in the place of its
// own.
base::UniqueFd open_log(const std::string& path) {
  base::UniqueFd log(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (log && (::fstat(log.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1))
    log.reset();
  return log;
}

// The end of a log, whole lines of it where it has some, and a mark where something is missing.
std::string end_of_log(const std::string& path) {
  const auto log = open_log(path);
  const off_t size = log ? ::lseek(log.get(), 0, SEEK_END) : 0;
  if (size <= 0) return "";
  const auto limit = static_cast<off_t>(k_log_shown);
  std::string text(static_cast<std::size_t>(std::min(size, limit)), '\0');
  const ssize_t count = ::pread(log.get(), text.data(), text.size(), std::max<off_t>(size - limit, 0));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (size <= limit) return text;
  const auto line = text.find('\n');
  return "[…]\n" + text.substr(line == std::string::npos ? 0 : line + 1);
}

// Prints a program's output, with a newline at its end.
void show_output(std::string text) {
  if (text.empty()) return;
  if (text.back() != '\n') text += '\n';
  report::output(text);
}

}  // namespace

std::string RunReport::prefix(const std::string& pipeline) const {
  return m_options.name_pipelines && !pipeline.empty() ? pipeline + ": " : "";
}

void RunReport::info(const std::string& pipeline, const std::string& text) {
  m_progress.clear();
  report::info(prefix(pipeline) + text);
}

void RunReport::warn(const std::string& pipeline, const std::string& text) {
  m_progress.clear();
  report::warn(prefix(pipeline) + text);
}

void RunReport::warned(const std::string& pipeline, const std::string& what) { warn(pipeline, what); }

void RunReport::built(const std::string& pipeline, std::chrono::steady_clock::duration elapsed) {
  info(pipeline, "build: done in " + base::format_duration(elapsed));
}

void RunReport::counted(const std::string& pipeline, std::size_t datums) {
  if (datums == 0) warn(pipeline, "the input has no datums");
  if (datums >= k_many) info(pipeline, "datums: " + base::format_number(datums) + " in all");
}

void RunReport::begins(const std::string&, std::size_t datums) { m_progress.add(datums); }

void RunReport::started(const std::string& pipeline, const std::string& label) {
  m_progress.started(prefix(pipeline) + label);
}

void RunReport::ended(const std::string& pipeline, const DatumReport& report) {
  m_progress.done();
  if (report.result == DatumReport::Result::failed) {
    tell_failure(pipeline, report);
  } else if (m_options.show_logs) {
    show_log(report.log);
  }
}

void RunReport::tell_failure(const std::string& pipeline, const DatumReport& report) {
  const std::string log = end_of_log(report.log);
  auto& [kinds, logs] = m_failures[pipeline];
  logs = base::fs::path(report.log).parent_path().string();
  const bool is_new = kinds.add(report.label, report.reason, log);
  if (m_options.show_logs || is_new)
    warn(pipeline, "datum " + report.label + " failed: " + report.reason + " (log: " + report.log + ")");
  if (m_options.show_logs) return show_log(report.log);
  if (!is_new) return;
  const auto count = kinds.all().size();
  if (count <= k_logs_shown) show_output(log);
  if (count == k_logs_shown + 1) warn(pipeline, "the logs of further failed datums are not shown here");
}

// Shows the whole log.
void RunReport::show_log(const std::string& path) {
  m_progress.clear();
  const auto log = open_log(path);
  auto text =
      log ? base::read_file("/proc/self/fd/" + std::to_string(log.get())) : base::Result<std::string>("");
  if (text) show_output(std::move(*text));
}

void RunReport::exporting(const std::string& pipeline, std::uint64_t bytes) {
  if (::isatty(STDERR_FILENO) == 1 && bytes >= k_large)
    info(pipeline, "output: writing " + base::format_bytes(bytes));
}

void RunReport::finished(const std::string& pipeline, const local::PipelineReport& report) {
  tell_equal_failures(pipeline);
  std::string text =
      "datums: " + std::to_string(report.run) + " run, " + std::to_string(report.skipped) + " skipped";
  if (report.recovered > 0) text += ", " + std::to_string(report.recovered) + " of them recovered by err_cmd";
  if (report.failed > 0) text += ", " + std::to_string(report.failed) + " failed";
  info(pipeline, text + ", " + base::format_duration(report.elapsed) + " in all");
  if (report.exported) {
    info(pipeline, "output: " + report.output + " (" + base::count_of(report.files, "file") + ", " +
                       base::format_bytes(report.bytes) + ")");
  }
  if (report.failed == 0) {
    if (report.files == 0) warn(pipeline, "no datum wrote a file to /pfs/out");
    return;
  }
  const std::string failures = base::count_of(report.failed, "datum") + " failed";
  if (report.partial) {
    report::fail({ErrorKind::step_failed, report.output,
                  failures + " and " + (report.failed == 1 ? "has" : "have") + " no output here",
                  "see " + std::string(local::k_own_folder) + "/missing in that folder"});
  } else {
    report::fail({ErrorKind::step_failed, report.output, failures + ", so the output folder was not changed",
                  "the results of the other datums are kept for the next run; --partial exports them now"});
  }
}

// With --logs each has been told.
void RunReport::tell_equal_failures(const std::string& pipeline) {
  const auto& failures = m_failures[pipeline];
  for (const auto& kind : failures.kinds.all()) {
    if (kind.more > 0 && !m_options.show_logs)
      warn(pipeline, summary_of(kind) + " (logs: " + failures.logs + ")");
  }
}

void RunReport::failed(const std::string& pipeline, const base::Error& error) {
  tell_equal_failures(pipeline);
  m_progress.clear();
  const bool was_told = error.where.empty() && error.what.empty();
  if (!was_told) {
    report::fail(error);
  } else if (m_options.name_pipelines) {
    warn(pipeline, "could not be built");
  }
}

void RunReport::left_out(const std::string& pipeline, const std::string& because) {
  warn("", "pipeline " + pipeline + " was not run: it reads " + because + ", which has no result");
}

void RunReport::cache_shrunk(std::size_t datums, std::uint64_t bytes) {
  info("", "cache: removed the least recently used results: " + base::count_of(datums, "datum") + ", " +
               base::format_bytes(bytes));
}

void RunReport::tick() { m_progress.draw(); }

}  // namespace commands
