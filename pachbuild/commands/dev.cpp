// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/dev.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/exit_codes.h"
#include "pachbuild/commands/keyboard.h"
#include "pachbuild/commands/round.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/watch/watcher.h"
#include "process/child.h"
#include "process/interruption.h"
#include "process/suspension.h"
#include "report/report.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using local::WatchedRoot;
using local::Watcher;
using Clock = std::chrono::steady_clock;
using Kind = WatchedRoot::Kind;

// An editor writes several files, or one in several steps: so long must nothing have come, and so long is it
// waited for that.
constexpr std::chrono::milliseconds k_quiet{20};
constexpr std::chrono::milliseconds k_longest_wait{500};
constexpr std::chrono::seconds k_between_ticks{1};
// For the end of a round that was told to stop: it has at most a few children to wait for.
constexpr std::chrono::seconds k_round_patience{10};
// For what it has drawn.
constexpr std::chrono::milliseconds k_suspend_patience{500};

std::string file_name(const fs::path& path) { return base::normal_path(path).filename().string(); }

bool names_folder(const std::string& path) {
  boost::system::error_code error;
  return fs::is_directory(path, error);
}

// What the options alone say.
std::vector<WatchedRoot> roots_of(const DevOptions& options) {
  std::vector<WatchedRoot> roots;
  for (const auto& path : options.specs.files)
    roots.push_back({path, names_folder(path) ? Kind::specs : Kind::file, file_name(path)});
  if (const auto& path = options.specs.jsonnet; !path.empty())
    roots.push_back({path, Kind::file, file_name(path)});
  for (const auto& path : options.data) roots.push_back({path, Kind::data, file_name(path)});
  for (const auto& path : options.secrets)
    roots.push_back({path, names_folder(path) ? Kind::data : Kind::file, file_name(path)});
  return roots;
}

// Waits for a moment without events, but not for ever.
class Debounce {
 public:
  void note(Clock::time_point now) {
    if (!m_first) m_first = now;
    m_last = now;
  }
  [[nodiscard]] std::optional<Clock::time_point> due() const {
    if (!m_first) return std::nullopt;
    return std::min(m_last + k_quiet, *m_first + k_longest_wait);
  }
  // The time of the first event.
  Clock::time_point take() { return *std::exchange(m_first, std::nullopt); }

 private:
  std::optional<Clock::time_point> m_first;
  Clock::time_point m_last;
};

// A process that goes on.
struct Round {
  process::Child child;
  base::UniqueFd summary;
  std::string cause;
  Clock::time_point begin;
  std::optional<Clock::time_point> deadline;  // once it was told to stop
  std::string stopped_for;                    // and for what: "a newer edit"
};

class Dev {
 public:
  Dev(const DevOptions& options, Watcher watcher, process::Interruption interruption)
      : m_options(options),
        m_watcher(std::move(watcher)),
        m_interruption(std::move(interruption)),
        m_shows(::isatty(STDERR_FILENO) == 1 && !report::is_json()) {}

  base::Result<int> run() {
    reread_specs();
    BASE_TRY(start_round("", Clock::now(), false));
    auto next_tick = Clock::now() + k_between_ticks;
    while (true) {
      wait(next_tick);
      if (const auto signal = m_interruption.signal()) return end(*signal);
      if (process::Suspension::is_asked()) suspend();
      if (const auto code = obey_keys()) return *code;
      const auto now = Clock::now();
      take_events(now);
      if (now >= next_tick) {
        m_keyboard.refresh();
        m_watcher.tick();
        // Not in the middle of what is just being written.
        if (!m_debounce.due()) look(now);
        next_tick = now + k_between_ticks;
      }
      if (const auto due = m_debounce.due(); due && now >= *due) look(m_debounce.take());
      tell_fault();
      BASE_TRY_ASSIGN(const auto code, attend_round());
      if (code) return *code;
      if (!m_round && m_next) {
        const auto next = *std::exchange(m_next, std::nullopt);
        BASE_TRY(start_round(next.cause, next.begin, next.force));
      }
    }
  }

 private:
  struct Next {
    std::string cause;
    Clock::time_point begin;
    bool force = false;
    std::string what = "a rerun";  // a round that goes on is stopped for it
  };

  void wait(Clock::time_point next_tick) {
    auto until = next_tick;
    if (const auto due = m_debounce.due()) until = std::min(until, *due);
    if (m_round && m_round->deadline) until = std::min(until, *m_round->deadline);
    if (!m_round && m_next) until = Clock::now();
    std::array<pollfd, 4> entries{{{m_interruption.descriptor(), POLLIN, 0},
                                   {m_watcher.descriptor(), POLLIN, 0},
                                   {m_keyboard.descriptor(), POLLIN, 0},
                                   {m_round ? m_round->child.descriptor() : -1, POLLIN, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    ::poll(entries.data(), entries.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
    m_has_keys = entries[2].revents != 0;
  }

  // A round that goes on may have seen what is yet to be looked at as it was then, also when it has ended
  // until then.
  void take_events(Clock::time_point now) {
    if (m_watcher.take_events()) m_debounce.note(now);
    if (m_round && m_debounce.due()) m_has_reader = true;
  }

  // What has really changed makes the round that goes on an old one.
  void look(Clock::time_point since) {
    const bool has_reader = std::exchange(m_has_reader, false) || m_round;
    const auto changes = m_watcher.look(/*with_passing=*/has_reader);
    if (changes.empty()) return;
    m_changes.insert(changes.begin(), changes.end());
    next_round(
        {describe({m_changes.begin(), m_changes.end()}, m_roots) + " changed", since, false, "a newer edit"});
  }

  void next_round(Next next) {
    if (m_next && m_next->force) next.force = true;
    if (m_round && !m_round->deadline) stop_round(next.what);
    m_next = std::move(next);
  }

  void stop_round(const std::string& stopped_for) {
    m_round->stopped_for = stopped_for;
    m_round->child.signal_group(SIGTERM);
    m_round->deadline = Clock::now() + k_round_patience;
  }

  // Which folders there are may have changed; with a fault in a spec they stay the same.
  void reread_specs() {
    auto roots = roots_of(m_options);
    if (const auto folders = m_options.sources()) {
      std::set<fs::path> known;
      for (const auto& folder : *folders) {
        if (known.insert(folder).second) roots.push_back({folder, Kind::source, file_name(folder)});
      }
    } else {
      for (const auto& root : m_roots) {
        if (root.kind == Kind::source) roots.push_back(root);
      }
    }
    if (roots == m_roots) return;
    m_changes.clear();  // they name roots by their places
    m_roots = std::move(roots);
    m_watcher.watch(m_roots);
  }

  base::Status start_round(const std::string& cause, Clock::time_point begin, bool force) {
    if (m_number > 0) reread_specs();
    ++m_number;
    erase_hint();
    if (m_shows && !cause.empty()) report::info("round " + std::to_string(m_number) + ": " + cause);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(base::system_error("make", "a pipe", errno));
    base::UniqueFd reading(ends[0]);
    const base::UniqueFd writing(ends[1]);
    process::Command command;
    command.arguments = {"/proc/self/exe"};
    command.arguments.insert(command.arguments.end(), m_options.round.begin(), m_options.round.end());
    command.arguments.insert(command.arguments.end(), {k_round_option, std::to_string(writing.get())});
    if (force) command.arguments.emplace_back("--force");
    if (!m_options.after_dashes.empty()) {
      command.arguments.emplace_back("--");
      command.arguments.insert(command.arguments.end(), m_options.after_dashes.begin(),
                               m_options.after_dashes.end());
    }
    command.environment = process::current_environment();
    command.inherited = {writing.get()};
    command.orphan_signal = SIGTERM;
    BASE_TRY_ASSIGN(auto child, process::Child::start(command));
    m_round.emplace(Round{std::move(child), std::move(reading), cause, begin});
    return {};
  }

  // Nothing unless the program ends with it.
  base::Result<std::optional<int>> attend_round() {
    if (!m_round) return std::nullopt;
    if (m_round->deadline && Clock::now() >= *m_round->deadline) {
      m_round->child.signal_group(SIGKILL);
      m_round->deadline = Clock::now() + k_round_patience;
    }
    BASE_TRY_ASSIGN(const auto ending, m_round->child.wait_for(std::chrono::milliseconds(0)));
    if (!ending) return std::nullopt;
    take_events(Clock::now());
    const bool was_stopped = m_round->deadline.has_value();
    const auto summary = read_summary(m_round->summary.get());
    if (!was_stopped) m_changes.clear();
    m_failed = summary ? summary->failed : 1;
    auto round = *std::exchange(m_round, std::nullopt);
    round.summary = {};  // whoever reads the line finds nothing of the round
    tell_end(round, *ending, summary);
    // What the command line has wrong no edit mends.
    const int code = ending->exit_code();
    if (m_number == 1 && !was_stopped && code == static_cast<int>(ErrorKind::usage)) return code;
    if (!m_next) draw_hint();
    return std::nullopt;
  }

  void tell_end(const Round& round, const process::Ending& ending,
                const std::optional<RoundSummary>& summary) const {
    // A run that came to its end has said it itself.
    if (m_shows && !m_options.on_cluster && !round.deadline) return;
    std::string line = "round " + std::to_string(m_number) + ": ";
    if (!m_shows && !round.cause.empty()) line += round.cause + ": ";
    if (round.deadline) {
      line += "stopped for " + round.stopped_for + " after ";
    } else {
      line += summary ? summary->text : "could not be run";
      if (!summary || !summary->ended) line += " (" + ending.describe() + ")";
      line += ", ";
    }
    report::info(line + base::format_duration(Clock::now() - round.begin));
  }

  std::optional<int> obey_keys() {
    if (!std::exchange(m_has_keys, false)) return std::nullopt;
    for (const char key : m_keyboard.take()) {
      switch (key) {
        case 'r':
          next_round(m_options.on_cluster ? Next{"submitted again", Clock::now(), false, "another submission"}
                                          : Next{"rerun of all datums", Clock::now(), true});
          break;
        case 'f':
          if (!m_options.on_cluster) rerun_failed();
          break;
        case 'o':
          if (!m_options.on_cluster) open_report();
          break;
        case 'h':
        case '?':
          erase_hint();
          report::info(keys());
          break;
        case 'q': {
          const auto code = end(SIGTERM);
          return code ? std::optional(0) : std::optional(static_cast<int>(code.error().kind));
        }
        default:
          break;
      }
    }
    if (!m_round && !m_next) draw_hint();
    return std::nullopt;
  }

  // Those whose results are known are skipped anyway.
  void rerun_failed() {
    if (m_round || m_failed > 0) return next_round({"rerun of failed datums", Clock::now()});
    erase_hint();
    report::info("no datum has failed");
  }

  void open_report() {
    erase_hint();
    boost::system::error_code error;
    if (m_options.report.empty()) return report::info("no report is written: start with --report FILE.html");
    if (!fs::exists(m_options.report, error)) return report::info(m_options.report + " is not written yet");
    const auto search = process::value_of(process::current_environment(), "PATH");
    for (const auto* name : {"xdg-open", "open"}) {
      const auto opener = process::find_program(name, search);
      const auto detach = process::find_program("setsid", search);
      if (!opener || !detach) continue;
      process::Command command;
      // A browser outlives this program.
      command.arguments = {*detach, "--fork", *opener, fs::absolute(m_options.report).string()};
      command.environment = process::current_environment();
      auto child = process::Child::start(command);
      if (child) static_cast<void>(child->wait());
      return;
    }
    report::info("xdg-open was not found; open " + m_options.report + " in a browser");
  }

  // The round is a group of its own, which Ctrl-Z does not reach.
  void suspend() {
    const bool had_hint = m_has_hint;
    erase_hint();
    if (m_round) m_round->child.suspend_group(k_suspend_patience);
    m_keyboard.release();
    process::Suspension::stop();
    m_keyboard.refresh();
    if (m_round) {
      m_round->child.signal_group(SIGCONT);
      if (m_round->deadline) m_round->deadline = Clock::now() + k_round_patience;
    }
    if (had_hint) draw_hint();
  }

  // Ends the round by the signal that came, and gives the exit code; another one kills it at once.
  base::Result<int> end(int signal) {
    erase_hint();
    if (m_round) {
      m_round->child.signal_group(SIGTERM);
      const auto deadline = Clock::now() + k_round_patience;
      static_cast<void>(m_interruption.take());
      while (true) {
        constexpr std::chrono::milliseconds k_moment{20};
        BASE_TRY_ASSIGN(const auto ending, m_round->child.wait_for(k_moment));
        if (ending) break;
        if (m_interruption.take() || Clock::now() >= deadline) m_round->child.signal_group(SIGKILL);
      }
      m_round.reset();
    }
    return contract::k_signal_base + signal;
  }

  void tell_fault() {
    const auto fault = m_watcher.take_fault();
    if (!fault) return;
    erase_hint();
    report::warn(base::in_one_line(*fault));
  }

  void draw_hint() {
    if (!m_shows) return;
    draw(std::string("waiting for changes  ") + keys());
    m_has_hint = true;
  }
  void erase_hint() {
    if (std::exchange(m_has_hint, false)) draw("");
  }
  static void draw(const std::string& text) {
    const std::string line = "\r\x1b[K" + text;
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()));
  }

  [[nodiscard]] const char* keys() const {
    return m_options.on_cluster ? "r submit again  q quit  h help"
                                : "r rerun  f rerun failed  o open report  q quit  h help";
  }

  const DevOptions& m_options;
  Watcher m_watcher;
  process::Interruption m_interruption;
  process::Suspension m_suspension;
  Keyboard m_keyboard;
  bool m_shows;
  bool m_has_keys = false;
  bool m_has_reader = false;  // take_events()
  bool m_has_hint = false;
  std::vector<WatchedRoot> m_roots;
  std::set<Watcher::Change> m_changes;  // since the last round that came to its end
  Debounce m_debounce;
  std::optional<Round> m_round;
  std::optional<Next> m_next;
  int m_number = 0;
  std::size_t m_failed = 0;
};

// What is wrong with the options, and not with files: no edit would mend it.
base::Status check(const DevOptions& options) {
  const auto sources = options.sources();
  if (!sources && sources.error().kind != ErrorKind::bad_input) return base::fail(sources.error());
  for (const auto& path : options.specs.files) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) continue;
    if (!sources) return base::fail(sources.error());
    return base::fail(ErrorKind::usage, "-f " + path,
                      "is neither a file nor a folder, so edits cannot be detected",
                      "save the spec to a file and name the file");
  }
  return {};
}

}  // namespace

base::Result<int> run_dev(const DevOptions& options) {
  BASE_TRY(check(options));
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  std::vector<fs::path> excluded = {cache};
  if (!options.output.empty()) excluded.push_back(fs::absolute(options.output));
  // Each is watched by itself, and no part of the source that it is in.
  for (const auto& path : options.data) excluded.push_back(fs::absolute(path));
  Watcher watcher(std::move(excluded));
  return Dev(options, std::move(watcher), std::move(interruption)).run();
}

}  // namespace commands
