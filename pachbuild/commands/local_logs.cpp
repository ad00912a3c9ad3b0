// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/local_logs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <string_view>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "pachbuild/commands/datum_log.h"
#include "pachbuild/commands/last_runs.h"
#include "report/report.h"
#include "report/terminal_text.h"

namespace commands {
namespace {

using local::LastState;
using local::RunRecord;

constexpr std::chrono::milliseconds k_between_looks{200};

// On a terminal without what could change it.
void write_out(std::string_view text) {
  if (::isatty(STDOUT_FILENO) != 1) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  const auto shown = report::for_terminal(text);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
}

// The log of one datum, and how much of it has been printed.
class Log {
 public:
  explicit Log(std::string path) : m_path(std::move(path)) {}

  // What has been added: whole lines, unless `to_the_end`. False when there was nothing.
  bool print(bool to_the_end, const std::function<void()>& before) {
    const auto log = open_log(m_path);
    bool printed = false;
    // The middle of a long log is taken out, and a full disk cuts it: what comes then is at its end.
    struct stat status{};
    if (log && ::fstat(log.get(), &status) == 0) m_offset = std::min(m_offset, status.st_size);
    while (log) {
      std::array<char, std::size_t{64} << 10> buffer;
      const ssize_t count = ::pread(log.get(), buffer.data(), buffer.size(), m_offset);
      if (count <= 0) break;
      std::string_view text(buffer.data(), static_cast<std::size_t>(count));
      const auto line_end = text.rfind('\n');
      if (line_end != std::string_view::npos) {
        text = text.substr(0, line_end + 1);
      } else if (!to_the_end && text.size() < buffer.size()) {
        break;
      }
      if (!std::exchange(printed, true)) before();
      write_out(text);
      m_offset += static_cast<off_t>(text.size());
      m_ends_line = text.back() == '\n';
    }
    if (to_the_end && printed && !m_ends_line) write_out("\n");
    std::fflush(stdout);
    return printed;
  }

 private:
  std::string m_path;
  off_t m_offset = 0;
  bool m_ends_line = true;
};

void tell(const std::string& text) {
  std::fflush(stdout);
  report::info("== " + text);
}

std::string title(const RunRecord::Datum& datum) { return "datum " + datum.label; }

base::Result<std::vector<std::size_t>> choose(const KnownRun& run, const LocalLogs& options) {
  if (!options.datums.empty()) return select(run, options.datums);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < run.record.datums.size(); ++i) {
    const auto state = run.record.datums[i].state;
    if (options.failed ? state == LastState::failed : state != LastState::skipped) chosen.push_back(i);
  }
  return chosen;
}

enum class Heading { no, yes };

base::Status print_all(const KnownRun& run, const LocalLogs& options, Heading heading) {
  BASE_TRY_ASSIGN(const auto chosen, choose(run, options));
  if (chosen.empty()) {
    tell(run.spec.name + ", run at " + local_time(run.record.started) + ": no datum " +
         (options.failed ? "failed" : "ran; --datum shows the log of an earlier run of a datum"));
  } else if (heading == Heading::yes) {
    tell("pipeline " + run.spec.name);
  }
  for (const auto place : chosen) {
    const auto& datum = run.record.datums[place];
    const std::string about = title(datum) + ": " + end_of(datum);
    Log log(run.record.log_of(datum));
    if (log.print(true, [&] { tell(about); })) continue;
    tell(about + (datum.printed ? "; its log is no longer in the cache" : "; it printed nothing"));
  }
  return {};
}

// What is printed while the run goes on, and the rest when it has ended.
base::Status follow(KnownRun run, const LocalLogs& options) {
  std::map<std::string, Log> logs;  // by the datums' keys
  std::string last;
  for (;;) {
    BASE_TRY(base::check_stop());
    const bool is_last = !run.last.goes_on();
    if (auto record = run.last.load()) run.record = std::move(*record);
    BASE_TRY_ASSIGN(const auto chosen, choose(run, options));
    for (const auto place : chosen) {
      const auto& datum = run.record.datums[place];
      auto& log = logs.try_emplace(datum.key, run.record.log_of(datum)).first->second;
      const bool has_ended = is_last || datum.state != LastState::not_run;
      log.print(has_ended, [&] {
        if (last != datum.key) tell(title(datum));
        last = datum.key;
      });
    }
    if (is_last) break;
    std::this_thread::sleep_for(k_between_looks);
  }
  tell(run.spec.name + ": the run has ended");
  return {};
}

}  // namespace

base::Result<int> print_local_logs(const LocalLogs& options) {
  BASE_TRY_ASSIGN(auto runs, known_runs(options.specs, options.pipeline));
  if (options.follow) BASE_TRY(check_one_run(runs, "--follow"));
  if (!options.datums.empty()) BASE_TRY(check_one_run(runs, "--datum"));
  if (options.follow && runs.front().last.goes_on()) {
    BASE_TRY(follow(std::move(runs.front()), options));
    return 0;
  }
  const auto heading = runs.size() > 1 ? Heading::yes : Heading::no;
  for (const auto& run : runs) BASE_TRY(print_all(run, options, heading));
  return 0;
}

}  // namespace commands
