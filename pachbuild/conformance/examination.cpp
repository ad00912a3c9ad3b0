// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/examination.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/conformance/differences.h"
#include "pachbuild/conformance/failure_line.h"
#include "pachbuild/conformance/probe.h"
#include "pachbuild/conformance/vectors.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/session/build.h"
#include "pachbuild/local/session/builder_folder.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source.h"
#include "report/report.h"

namespace conformance {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using local::Task;
using local::TaskOutcome;
using local::TaskResult;

constexpr std::size_t k_digits_of_id = 64;
// A second build that takes less is quick enough, whatever the first one took.
constexpr std::chrono::seconds k_quick{1};
// "nobody" of most systems; it need not be in the image.
constexpr uid_t k_other_user = 65534;
constexpr std::array k_exit_codes = {0, 1, 2, 64, 77, 125, 126, 127, 200, 255};
constexpr std::array k_signals = {SIGHUP, SIGINT, SIGKILL,
                                  SIGTERM};  // those that no language takes for its own
constexpr char k_list_folder[] = "ls -lARn . > /pfs/out/list";

// What the probe of an image is taken out of it by; the exit code says that it has none.
constexpr char k_take_probe[] = "[ -d probe ] || exit 3; cp -R probe/. /pfs/out/";
constexpr int k_no_probe = 3;

// Long before anything that a tool has kept: it believes a file of this time to be an old one.
constexpr std::int64_t k_old_time = 1'000'000'000;

// Of the build that must give the same bytes: another folder of a cache than an image's or that of the builds
// before, and another time of day.
constexpr char k_cache[] = "cache";
constexpr char k_other_cache[] = "cache-of-the-other-build";
constexpr char k_other_cache_inside[] = "/tmp/cache-of-the-other-build";
constexpr char k_time_zone[] = "TZ";
constexpr char k_other_time_zone[] = "<+13>-13";

constexpr int k_wait_ms = 20;

Row row(std::string name, bool good, std::string text) {
  return {std::move(name), good ? Outcome::passed : Outcome::failed, std::move(text)};
}

std::string reason_of(const TaskOutcome& outcome) {
  return outcome.error ? base::without_hint(*outcome.error) : outcome.reason;
}

// For the task of a place: others can enter its folders.
void open_for_all(const fs::path& folder) {
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    ::chmod(entry->path().c_str(), fs::is_directory(entry->path(), error) ? 0755 : 0644);
  }
  ::chmod(folder.c_str(), 0755);
}

class Examination {
 public:
  Examination(const Subject& subject, fs::path scratch, process::Interruption& interruption)
      : m_subject(subject), m_scratch(std::move(scratch)), m_interruption(interruption) {}

  base::Result<std::vector<Row>> run();

 private:
  // A source that is built.
  struct Source {
    fs::path folder;
    std::string digest;
    std::int64_t modified = 0;  // the time of its files; 0: that of the build
  };
  // What one build has come to.
  struct Built {
    Source source;
    TaskOutcome outcome;
    fs::path artifact;
    std::string version;  // of the artifact; empty: not known
    fs::path log;
    fs::path staged;  // the source as the build left it
    [[nodiscard]] bool well() const { return outcome.result == TaskResult::succeeded; }
    [[nodiscard]] std::chrono::nanoseconds time() const {
      return std::chrono::nanoseconds(outcome.duration_ns);
    }
    // Why it failed, and what it has printed about that.
    [[nodiscard]] std::string failure() const {
      const auto line = failure_line(base::read_file(log).value_or(""));
      return reason_of(outcome) + (line.empty() ? "" : " (" + line + ")");
    }
  };
  struct Room {
    std::string name;
    fs::path cache;            // of a folder's builds
    std::string time_zone;     // empty: that of this machine
    std::string cache_inside;  // of an image's builds; empty: the image's own
    std::optional<uid_t> user;
    bool read_only_source = false;
  };

  base::Status prepare_source();
  base::Status take_probe();
  base::Result<Source> copy_source(const fs::path& from, const fs::path& to);
  base::Result<local::Pool> open(Room room);
  base::Result<TaskOutcome> perform(local::Pool& pool, Task task);
  base::Result<Built> build(local::Pool& pool, const std::string& name, const Source& source);
  base::Result<std::string> list_folder(local::Pool& pool);
  base::Result<TaskOutcome> start_probe(local::Pool& pool, const Built& built, const Words& arguments,
                                        bool lazy = false);
  [[nodiscard]] std::optional<std::string> written(const std::string& name) const;

  base::Status examine_first_build(local::Pool& pool);
  base::Result<std::string> find_stray(const Built& built) const;
  base::Status examine_program(local::Pool& pool);
  base::Result<std::string> find_lost(local::Pool& pool, const std::vector<Words>& vectors);
  base::Status examine_arguments(local::Pool& pool);
  base::Status examine_endings(local::Pool& pool);
  base::Status examine_second_build(local::Pool& pool);
  base::Status examine_edit(local::Pool& pool, const std::string& name, const std::string& file,
                            std::int64_t modified);
  base::Status await_other_second();
  base::Status examine_other_build();
  base::Status examine_size();

  [[nodiscard]] Task task(Words command) const;
  [[nodiscard]] Task build_task(Words command) const;

  const Subject& m_subject;
  fs::path m_scratch;
  process::Interruption& m_interruption;
  Words m_command;  // what builds
  Source m_source;
  std::vector<std::unique_ptr<local::WorkerHost>> m_hosts;  // of all pools
  Room m_room;                                              // of the pool that works now
  fs::path m_area;                                          // everything that it writes is in it
  Built m_built;                                            // the first build
  bool m_timed_out = false;                                 // the probe, when it was started last
  std::time_t m_built_at = 0;
  std::vector<Row> m_rows;
};

base::Result<Examination::Source> Examination::copy_source(const fs::path& from, const fs::path& to) {
  BASE_TRY_ASSIGN(const auto files, source::list_source(from));
  BASE_TRY(base::make_folders(to));
  BASE_TRY(source::copy_source(files, to));
  open_for_all(to);  // of an image's builds one is another user's
  BASE_TRY_ASSIGN(auto digest, local::artifact_version(to));
  return Source{to, std::move(digest)};
}

base::Status Examination::prepare_source() {
  if (!m_subject.probe.empty()) {
    BASE_TRY_ASSIGN(m_source, copy_source(m_subject.probe, m_scratch / "source"));
    return {};
  }
  BASE_TRY(take_probe());
  BASE_TRY_ASSIGN(m_source, copy_source(m_area / "probe", m_scratch / "source"));
  return {};
}

// Out of the image, where it is beside build.sh.
base::Status Examination::take_probe() {
  BASE_TRY_ASSIGN(auto pool, open({.name = "image"}));
  Task take = task({"sh", "-c", k_take_probe});
  take.id = std::string(k_digits_of_id, '3');
  take.output = (m_area / "probe").string();
  take.log = (m_area / "log").string();
  BASE_TRY_ASSIGN(const auto outcome, perform(pool, std::move(take)));
  if (outcome.result == TaskResult::succeeded) return {};
  const auto& image = m_subject.container->image;
  if (outcome.exit_code == k_no_probe) {
    return base::fail(ErrorKind::bad_input, image, "has no probe folder beside its build.sh",
                      "name the source of a probe with --source (see docs/authoring-builders.md)");
  }
  return base::fail(ErrorKind::bad_input, image, "its folder probe cannot be read: " + reason_of(outcome),
                    "name the source of a probe with --source");
}

base::Result<local::Pool> Examination::open(Room room) {
  m_room = std::move(room);
  m_area = m_scratch / m_room.name;
  BASE_TRY(base::make_folders(m_area));
  if (m_subject.container) {
    // The probe's datums have what a build before them has written.
    auto shared = m_subject.mounts;
    for (const auto& path : {m_source.folder, m_area}) {
      if (!path.empty()) shared.push_back({path});
    }
    m_hosts.push_back(local::containers_of(*m_subject.container, std::move(shared), m_room.user));
  } else {
    m_hosts.push_back(local::this_machine());
  }
  return local::Pool::start(1, m_area, *m_hosts.back());
}

base::Result<TaskOutcome> Examination::perform(local::Pool& pool, Task task) {
  BASE_TRY_ASSIGN(auto result, pool.run_one(std::move(task), m_interruption.descriptor(), {}, report::warn));
  // What the builder does wrong is a finding; what the machine does is not.
  if (result.error && result.error->kind != ErrorKind::step_failed) return base::fail(*result.error);
  return result;
}

// In the builder's folder, with its environment.
Task Examination::task(Words command) const {
  Task task;
  task.command = std::move(command);
  if (m_subject.container) {
    task.environment = local::network_environment();
    if (!m_room.cache_inside.empty()) task.environment[contract::k_cache_variable] = m_room.cache_inside;
  } else {
    task.environment = local::build_environment(m_room.cache);
    task.folder = m_subject.folder.string();
    // So that a build.sh finds the builder-runtime beside this program, as it does in an image.
    if (const auto own = base::own_folder()) task.environment["PATH"].insert(0, own->string() + ":");
  }
  if (!m_room.time_zone.empty()) task.environment[k_time_zone] = m_room.time_zone;
  return task;
}

Task Examination::build_task(Words command) const {
  Task build = task(std::move(command));
  local::add_declared_variables(build.environment, m_subject.variables);
  return build;
}

base::Result<Examination::Built> Examination::build(local::Pool& pool, const std::string& name,
                                                    const Source& source) {
  Built built{.source = source};
  BASE_TRY(base::make_folders(m_area / name));
  built.artifact = m_area / name / "out";
  built.log = m_area / name / "log";
  Task build = build_task(m_command);
  build.id = std::string(k_digits_of_id, '0');
  build.inputs = {{contract::k_source_input, source.folder.string(), "", source.digest}};
  build.inputs.front().read_only = m_room.read_only_source;
  build.inputs.front().modified = source.modified;
  build.output = built.artifact.string();
  build.log = built.log.string();
  build.tells_strangers = true;
  built.staged = m_area / "worker-0" / "pfs" / ".scratch" / build.id / contract::k_source_input;
  BASE_TRY_ASSIGN(built.outcome, perform(pool, std::move(build)));
  if (m_subject.built) m_subject.built(name, built.log);
  if (!built.well()) return built;
  BASE_TRY_ASSIGN(built.version, local::artifact_version(built.artifact));
  return built;
}

base::Result<std::string> Examination::list_folder(local::Pool& pool) {
  const fs::path output = m_area / "list";
  BASE_TRY(base::remove_tree(output));
  Task list = task({"sh", "-c", k_list_folder});
  list.id = std::string(k_digits_of_id, '1');
  list.output = output.string();
  BASE_TRY_ASSIGN(const auto outcome, perform(pool, std::move(list)));
  if (outcome.result != TaskResult::succeeded) {
    return base::fail(ErrorKind::unavailable, "sh, ls", "do not work in the builder: " + reason_of(outcome),
                      "build.sh is started by sh");
  }
  return base::read_file(output / "list");
}

base::Result<TaskOutcome> Examination::start_probe(local::Pool& pool, const Built& built,
                                                   const Words& arguments, bool lazy) {
  Task datum = task({"sh", std::string(contract::k_build) + "/" + contract::k_run_script});
  datum.id = std::string(k_digits_of_id, '2');
  datum.command.insert(datum.command.end(), arguments.begin(), arguments.end());
  datum.inputs = {
      {contract::k_source_input, built.source.folder.string(), "", built.source.digest},
      {contract::k_build_input, built.artifact.string(), "", built.version + (lazy ? "lazy" : ""), lazy}};
  datum.output = (m_area / "datum").string();
  datum.log = (m_area / "datum.log").string();
  datum.timeout_ms = m_subject.patience.count();
  BASE_TRY(base::remove_tree(datum.output));
  const auto timeout = local::timeout_reason(datum);
  BASE_TRY_ASSIGN(auto outcome, perform(pool, std::move(datum)));
  m_timed_out = outcome.reason == timeout;
  if (m_timed_out) outcome.reason += "; --timeout allows more";
  return outcome;
}

// What the probe has written to this file of /pfs/out when it was started last.
std::optional<std::string> Examination::written(const std::string& name) const {
  auto text = base::read_file(m_area / "datum" / name);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

// What a build has written besides /pfs/out, in words; empty when nothing. Only until the worker gets another
// task.
base::Result<std::string> Examination::find_stray(const Built& built) const {
  BASE_TRY_ASSIGN(const auto source, local::artifact_version(built.staged));
  if (source != built.source.digest) return "something in /pfs/source was changed";
  const auto& stranger = built.outcome.stranger;
  return stranger.empty() ? "" : "/pfs/" + stranger + " was created";
}

base::Status Examination::examine_first_build(local::Pool& pool) {
  BASE_TRY_ASSIGN(const auto before, list_folder(pool));
  BASE_TRY_ASSIGN(m_built, build(pool, "first", m_source));
  m_built_at = std::time(nullptr);
  const auto& outcome = m_built.outcome;
  const bool ended_well = outcome.exit_code == 0 && outcome.reason.empty();
  m_rows.push_back(row("build", ended_well,
                       ended_well ? "in " + base::format_duration(m_built.time()) : m_built.failure()));
  BASE_TRY_ASSIGN(std::string stray, find_stray(m_built));
  BASE_TRY_ASSIGN(const auto after, list_folder(pool));
  if (stray.empty() && after != before) stray = "something in the builder's own folder was changed";
  m_rows.push_back(row("writes to /pfs/out only", stray.empty(), stray));
  m_rows.push_back(row("names and links for PFS", !outcome.error, outcome.error ? reason_of(outcome) : ""));
  if (!m_built.well()) return {};
  boost::system::error_code error;
  const bool has_script = fs::is_regular_file(m_built.artifact / contract::k_run_script, error);
  m_rows.push_back(row("run.sh", has_script, has_script ? "" : "is not in /pfs/out"));
  if (!has_script) m_built.version.clear();
  return {};
}

// The first vector that does not arrive, in words; empty when all do.
base::Result<std::string> Examination::find_lost(local::Pool& pool, const std::vector<Words>& vectors) {
  for (const auto& vector : vectors) {
    Words words = {"arguments"};
    words.insert(words.end(), vector.begin(), vector.end());
    BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, m_built, words));
    std::string expected;
    for (const auto& word : vector) (expected += word) += '\0';
    if (!m_timed_out && written(k_arguments_file) == expected) continue;
    Words quoted;
    for (const auto& word : vector) quoted.push_back(base::shell_quote(word.substr(0, 40)));
    const auto shown = quoted.empty() ? "no arguments" : base::join(quoted, " ");
    if (m_timed_out) return "with " + shown + ": " + outcome.reason;
    const auto ending = " (" + (outcome.reason.empty() ? "exit code 0" : reason_of(outcome)) + ")";
    if (!written(k_arguments_file))
      return "with " + shown + ": the probe did not write " + path_of_result(k_arguments_file) + ending;
    return "lost or changed: " + shown + ending;
  }
  return "";
}

base::Status Examination::examine_arguments(local::Pool& pool) {
  constexpr char k_name[] = "arguments byte for byte";
  const std::string seed = ", seed " + std::to_string(m_subject.seed);
  const auto texts = text_vectors(m_subject.seed);
  BASE_TRY_ASSIGN(const auto lost, find_lost(pool, texts));
  if (!lost.empty()) {
    m_rows.push_back(row(k_name, false, lost + seed));
    return {};
  }
  const auto bytes = byte_vectors(m_subject.seed);
  BASE_TRY_ASSIGN(const auto lost_bytes, find_lost(pool, bytes));
  if (!lost_bytes.empty()) {
    m_rows.push_back({k_name, Outcome::noted, "only those that are UTF-8; " + lost_bytes + seed});
    return {};
  }
  m_rows.push_back(row(k_name, true, base::count_of(texts.size() + bytes.size(), "vector") + seed));
  return {};
}

base::Status Examination::examine_endings(local::Pool& pool) {
  const auto examine = [&](const char* name, const std::string& kind, const auto& numbers,
                           int base_code) -> base::Status {
    for (const int number : numbers) {
      BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, m_built, {kind, std::to_string(number)}));
      if (!m_timed_out && outcome.exit_code == base_code + number) continue;
      m_rows.push_back(
          row(name, false,
              kind + " " + std::to_string(number) +
                  (m_timed_out ? ": " + outcome.reason
                               : " was reported as exit code " + std::to_string(outcome.exit_code))));
      return {};
    }
    m_rows.push_back(row(name, true, std::to_string(numbers.size()) + " " + name));
    return {};
  };
  BASE_TRY(examine("exit codes", "exit", k_exit_codes, 0));
  return examine("signals", "signal", k_signals, 128);
}

base::Status Examination::examine_program(local::Pool& pool) {
  BASE_TRY(examine_arguments(pool));
  BASE_TRY(examine_endings(pool));
  BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, m_built, {"arguments", "x"}, true));
  const bool good = outcome.result == TaskResult::succeeded;
  m_rows.push_back(row("/pfs/build as named pipes", good, good ? "" : reason_of(outcome)));
  return {};
}

base::Status Examination::examine_second_build(local::Pool& pool) {
  BASE_TRY_ASSIGN(const auto second, build(pool, "second", m_source));
  const bool faster = second.time() < k_quick || 5 * second.time() < 4 * m_built.time();
  m_rows.push_back({"second build",
                    !second.well() ? Outcome::failed
                    : faster       ? Outcome::passed
                                   : Outcome::noted,
                    !second.well() ? second.failure()
                                   : base::format_duration(second.time()) +
                                         " (first build: " + base::format_duration(m_built.time()) + ")" +
                                         (faster ? "" : ": nothing is kept")});
  return {};
}

// With what the builds before have kept: does the program change with the source, even when tools that
// believe the times of files take it for an old one?
base::Status Examination::examine_edit(local::Pool& pool, const std::string& name, const std::string& file,
                                       std::int64_t modified) {
  BASE_TRY_ASSIGN(auto source, copy_source(m_source.folder, m_area / name / "source"));
  BASE_TRY_ASSIGN(const bool has_text, edit_probe(source.folder, file));
  if (!has_text) {
    m_rows.push_back({name, Outcome::skipped,
                      "no file in the probe contains the text " + path_of_result(k_arguments_file)});
    return {};
  }
  source.modified = modified;
  BASE_TRY_ASSIGN(source.digest, local::artifact_version(source.folder));
  BASE_TRY_ASSIGN(const auto built, build(pool, name, source));
  if (!built.well()) {
    m_rows.push_back(row(name, false, built.failure()));
    return {};
  }
  BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, built, {"arguments", "x"}));
  const bool is_seen = written(file) == std::string("x\0", 2);
  m_rows.push_back(row(name, is_seen,
                       is_seen ? "the edited program ran; built in " + base::format_duration(built.time())
                       : outcome.result == TaskResult::succeeded
                           ? "not picked up: an earlier build's program runs"
                           : "the edited program: " + reason_of(outcome)));
  return {};
}

// What is made in one second can have the same time in it by chance.
base::Status Examination::await_other_second() {
  pollfd entry{m_interruption.descriptor(), POLLIN, 0};
  while (std::time(nullptr) == m_built_at) {
    if (::poll(&entry, 1, k_wait_ms) > 0) return base::fail(base::interrupted());
  }
  return {};
}

// A place of its own, with nothing cached, as another user and with a source that cannot be written, at
// another time: what comes out of it must be the same.
base::Status Examination::examine_other_build() {
  const bool root = ::geteuid() == 0;
  BASE_TRY(await_other_second());
  Room room{.name = "room-2",
            .cache = m_scratch / k_other_cache,
            .time_zone = k_other_time_zone,
            .cache_inside = k_other_cache_inside,
            .read_only_source = !root || m_subject.container};
  if (root && m_subject.container) room.user = k_other_user;
  BASE_TRY_ASSIGN(auto pool, open(std::move(room)));
  Source source = m_source;
  source.modified = k_old_time;
  BASE_TRY_ASSIGN(const auto built, build(pool, "other", source));
  if (m_room.read_only_source) {
    m_rows.push_back(
        row("without root, source read-only", built.well(), built.well() ? "" : built.failure()));
  } else {
    m_rows.push_back({"without root, source read-only", Outcome::skipped,
                      "pachbuild runs as root here: test the image, or run as another user"});
  }
  if (!built.well()) {
    // Nothing else would tell of it.
    if (!m_room.read_only_source) m_rows.push_back(row("reproducible", false, built.failure()));
    return {};
  }
  if (built.version == m_built.version) {
    m_rows.push_back(row("reproducible", true, "built twice, the same bytes"));
    return {};
  }
  BASE_TRY_ASSIGN(const auto files, differing_files(m_built.artifact, built.artifact));
  m_rows.push_back({"reproducible", Outcome::noted,
                    "built twice, other bytes in " + few_of(files) + ": all datums run again"});
  return {};
}

base::Status Examination::examine_size() {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  BASE_TRY(local::visit_files(m_built.artifact.string(), "",
                              [&](const std::string&, const struct stat& status) -> base::Status {
                                bytes += static_cast<std::uint64_t>(status.st_size);
                                ++files;
                                return {};
                              }));
  m_rows.push_back(row("size", true, base::format_bytes(bytes) + " in " + base::count_of(files, "file")));
  return {};
}

base::Result<std::vector<Row>> Examination::run() {
  if (m_subject.container) {
    m_command = {"sh", std::string("./") + contract::k_build_script};
  } else {
    BASE_TRY_ASSIGN(m_command, local::folder_build_command(m_subject.folder, m_subject.folder.string()));
  }
  BASE_TRY(prepare_source());
  {
    BASE_TRY_ASSIGN(auto pool, open({.name = "room-1", .cache = m_scratch / k_cache}));
    BASE_TRY(examine_first_build(pool));
    if (m_built.version.empty()) return std::move(m_rows);
    BASE_TRY(examine_program(pool));
    BASE_TRY(examine_second_build(pool));
    BASE_TRY(examine_edit(pool, "edit", k_edited_file, 0));
    BASE_TRY(examine_edit(pool, "edit with an older time", k_corrected_file, k_old_time));
  }
  BASE_TRY(examine_other_build());
  BASE_TRY(examine_size());
  return std::move(m_rows);
}

}  // namespace

base::Result<std::vector<Row>> examine(const Subject& subject, const fs::path& scratch,
                                       process::Interruption& interruption) {
  auto rows = Examination(subject, scratch, interruption).run();
  // Whoever keeps the rest has no use for them.
  for (const auto* cache : {k_cache, k_other_cache}) BASE_TRY(base::remove_tree(scratch / cache));
  return rows;
}

}  // namespace conformance
