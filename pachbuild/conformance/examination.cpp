// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/examination.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>

#include "base/text.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/session/build.h"
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
using Words = std::vector<std::string>;

constexpr std::size_t k_digits_of_id = 64;
// A second build that takes less is quick enough, whatever the first one took.
constexpr std::chrono::seconds k_quick{1};
// The probe does next to nothing, but waits for ever where it opens a named pipe a second time.
constexpr std::chrono::milliseconds k_patience{20'000};
// "nobody" of most systems; it need not be in the image.
constexpr uid_t k_other_user = 65534;
constexpr std::array k_exit_codes = {0, 1, 2, 64, 77, 125, 126, 127, 200, 255};
constexpr std::array k_signals = {SIGHUP, SIGINT, SIGKILL,
                                  SIGTERM};  // those that no language takes for its own
constexpr char k_list_folder[] = "ls -lARn . > /pfs/out/list";

// What shells, option parsers and text files stumble over.
constexpr std::array k_pieces = {" ", "\n", "\t", "'", "\"", "$",    "$HOME", "`id`",    "*", "\\",
                                 "-", "--", "=",  "#", "~",  "!",    ";",     "&",       "|", "<",
                                 ">", "(",  "%s", "a", "\r", "\x01", "\xff",  "\xc3\xa9"};

std::vector<Words> argument_vectors() {
  std::vector<Words> vectors = {{},
                                {""},
                                {"", "", " "},
                                {"--", "--help", "--exec", "-c"},
                                {"a b", "new\nline", "end\n\n", "$HOME", "*"},
                                {std::string(100'000, 'x')}};
  std::mt19937 random(std::random_device{}());
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int number = 0; number < 4; ++number) {
    Words words(1 + below(12));
    for (auto& word : words) {
      for (auto pieces = below(7); pieces > 0; --pieces) word += k_pieces.at(below(k_pieces.size()));
    }
    vectors.push_back(std::move(words));
  }
  return vectors;
}

Row row(std::string name, bool good, std::string text) {
  return {std::move(name), good ? Outcome::passed : Outcome::failed, std::move(text)};
}

std::string reason_of(const TaskOutcome& outcome) {
  return outcome.error ? outcome.error->where + ": " + outcome.error->what : outcome.reason;
}

// What a log says last.
std::string end_of(const fs::path& log) {
  const auto line = base::last_line(base::read_file(log).value_or(""));
  return line.empty() ? "" : " (" + line + ")";
}

class Examination {
 public:
  Examination(const Subject& subject, fs::path scratch, process::Interruption& interruption)
      : m_subject(subject), m_scratch(std::move(scratch)), m_interruption(interruption) {}

  base::Result<std::vector<Row>> run();

 private:
  // What one build has come to.
  struct Built {
    TaskOutcome outcome;
    fs::path artifact;
    fs::path log;
    fs::path source;  // as the build left it
    [[nodiscard]] bool well() const { return outcome.result == TaskResult::succeeded; }
    [[nodiscard]] std::chrono::nanoseconds time() const {
      return std::chrono::nanoseconds(outcome.duration_ns);
    }
  };
  struct Room {
    std::string name;
    std::optional<uid_t> user;
    bool read_only_source = false;
  };

  base::Status copy_probe();
  base::Result<local::Pool> open(const Room& room);
  base::Result<TaskOutcome> perform(local::Pool& pool, Task task);
  base::Result<Built> build(local::Pool& pool, const Room& room);
  base::Result<std::string> list_folder(local::Pool& pool);
  base::Result<TaskOutcome> start_probe(local::Pool& pool, const Words& arguments, bool lazy = false);

  base::Status examine_first_build(local::Pool& pool, const Room& room);
  base::Result<std::string> find_stray(const Built& built) const;
  base::Status examine_program(local::Pool& pool);
  base::Status examine_arguments(local::Pool& pool);
  base::Status examine_endings(local::Pool& pool);
  base::Status examine_second_build(local::Pool& pool, const Room& room);
  base::Status examine_other_user();
  base::Status examine_size();

  [[nodiscard]] Task task(Words command) const;
  [[nodiscard]] fs::path new_path(const std::string& what) {
    return m_room / (what + "-" + std::to_string(++m_number));
  }

  const Subject& m_subject;
  fs::path m_scratch;
  process::Interruption& m_interruption;
  fs::path m_source;
  std::vector<std::unique_ptr<local::Place>> m_places;  // of all pools
  fs::path m_room;  // of the pool that works now: everything that it writes is in it
  std::string m_source_digest;
  Built m_built;  // the first build
  std::string m_version;
  std::vector<Row> m_rows;
  int m_number = 0;
};

base::Status Examination::copy_probe() {
  m_source = m_scratch / "source";
  BASE_TRY_ASSIGN(auto files, source::list_source(m_subject.probe));
  BASE_TRY(base::make_folders(m_source));
  BASE_TRY(source::copy_source(files, m_source));
  ::chmod(m_source.c_str(), 0755);
  BASE_TRY_ASSIGN(m_source_digest, local::artifact_version(m_source));
  return {};
}

base::Result<local::Pool> Examination::open(const Room& room) {
  m_room = m_scratch / room.name;
  BASE_TRY(base::make_folders(m_room));
  // The probe's datums have what a build before them has written.
  m_places.push_back(m_subject.container
                         ? local::containers_of(*m_subject.container, {{m_source}, {m_room}}, room.user)
                         : local::this_machine());
  return local::Pool::start(1, m_room, *m_places.back());
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
    return task;
  }
  task.environment = local::build_environment(m_scratch / "cache");
  task.folder = m_subject.folder.string();
  // So that a build.sh finds the builder-runtime beside this program, as it does in an image.
  if (const auto own = base::own_folder()) task.environment["PATH"].insert(0, own->string() + ":");
  return task;
}

base::Result<Examination::Built> Examination::build(local::Pool& pool, const Room& room) {
  Built built;
  built.artifact = new_path("artifact");
  built.log = new_path("log");
  Task build = task({"sh", "./build.sh"});
  build.id = std::string(k_digits_of_id, '0');
  build.inputs = {{contract::k_source_input, m_source.string(), "", m_source_digest}};
  build.inputs.front().read_only = room.read_only_source;
  build.output = built.artifact.string();
  build.log = built.log.string();
  build.tells_strangers = true;
  built.source = m_room / "worker-0" / "pfs" / ".scratch" / build.id / contract::k_source_input;
  BASE_TRY_ASSIGN(built.outcome, perform(pool, std::move(build)));
  return built;
}

base::Result<std::string> Examination::list_folder(local::Pool& pool) {
  const fs::path output = new_path("list");
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

base::Result<TaskOutcome> Examination::start_probe(local::Pool& pool, const Words& arguments, bool lazy) {
  Task datum = task({"sh", std::string(contract::k_build) + "/" + contract::k_run_script});
  datum.id = std::string(k_digits_of_id, '2');
  datum.command.insert(datum.command.end(), arguments.begin(), arguments.end());
  datum.inputs = {
      {contract::k_source_input, m_source.string(), "", m_source_digest},
      {contract::k_build_input, m_built.artifact.string(), "", m_version + (lazy ? "lazy" : ""), lazy}};
  datum.output = (m_room / "datum").string();
  datum.log = new_path("log").string();
  datum.timeout_ms = k_patience.count();
  BASE_TRY(base::remove_tree(datum.output));
  return perform(pool, std::move(datum));
}

// What a build has written besides /pfs/out, in words; empty when nothing. Only until the worker gets another
// task.
base::Result<std::string> Examination::find_stray(const Built& built) const {
  BASE_TRY_ASSIGN(const auto source, local::artifact_version(built.source));
  if (source != m_source_digest) return "something in /pfs/source was changed";
  const auto& stranger = built.outcome.stranger;
  return stranger.empty() ? "" : "/pfs/" + stranger + " was made";
}

base::Status Examination::examine_first_build(local::Pool& pool, const Room& room) {
  BASE_TRY_ASSIGN(const auto before, list_folder(pool));
  BASE_TRY_ASSIGN(m_built, build(pool, room));
  const auto& outcome = m_built.outcome;
  const bool ended_well = outcome.exit_code == 0 && outcome.reason.empty();
  m_rows.push_back(
      row("sh ./build.sh", ended_well,
          ended_well ? "in " + base::format_duration(m_built.time()) : outcome.reason + end_of(m_built.log)));
  BASE_TRY_ASSIGN(std::string stray, find_stray(m_built));
  BASE_TRY_ASSIGN(const auto after, list_folder(pool));
  if (stray.empty() && after != before) stray = "something in the builder's own folder was changed";
  m_rows.push_back(row("writes to /pfs/out only", stray.empty(), stray));
  m_rows.push_back(row("names and links for PFS", !outcome.error, outcome.error ? reason_of(outcome) : ""));
  boost::system::error_code error;
  const bool has_script = fs::is_regular_file(m_built.artifact / contract::k_run_script, error);
  if (m_built.well()) m_rows.push_back(row("run.sh", has_script, has_script ? "" : "is not in /pfs/out"));
  if (!m_built.well() || !has_script) return {};
  BASE_TRY_ASSIGN(m_version, local::artifact_version(m_built.artifact));
  return {};
}

base::Status Examination::examine_arguments(local::Pool& pool) {
  constexpr char k_name[] = "arguments byte for byte";
  const auto vectors = argument_vectors();
  for (const auto& vector : vectors) {
    Words words = {"arguments"};
    words.insert(words.end(), vector.begin(), vector.end());
    BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, words));
    std::string expected;
    for (const auto& word : vector) (expected += word) += '\0';
    if (base::read_file(m_room / "datum" / "arguments").value_or("nothing") == expected) continue;
    Words quoted;
    for (const auto& word : vector) quoted.push_back(base::shell_quote(word.substr(0, 40)));
    m_rows.push_back(row(k_name, false,
                         "lost or changed: " + base::join(quoted, " ") + " (" +
                             (outcome.reason.empty() ? "exit code 0" : reason_of(outcome)) + ")"));
    return {};
  }
  m_rows.push_back(row(k_name, true, base::count_of(vectors.size(), "vector")));
  return {};
}

base::Status Examination::examine_endings(local::Pool& pool) {
  const auto examine = [&](const char* name, const std::string& kind, const auto& numbers,
                           int base_code) -> base::Status {
    for (const int number : numbers) {
      BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, {kind, std::to_string(number)}));
      if (outcome.exit_code == base_code + number) continue;
      m_rows.push_back(row(name, false,
                           kind + " " + std::to_string(number) + " came out as exit code " +
                               std::to_string(outcome.exit_code)));
      return {};
    }
    m_rows.push_back(row(name, true, std::to_string(numbers.size()) + " of them"));
    return {};
  };
  BASE_TRY(examine("exit codes", "exit", k_exit_codes, 0));
  return examine("signals", "signal", k_signals, 128);
}

base::Status Examination::examine_program(local::Pool& pool) {
  BASE_TRY(examine_arguments(pool));
  BASE_TRY(examine_endings(pool));
  BASE_TRY_ASSIGN(const auto outcome, start_probe(pool, {"arguments", "x"}, true));
  const bool good = outcome.result == TaskResult::succeeded;
  m_rows.push_back(row("/pfs/build as named pipes", good, good ? "" : reason_of(outcome)));
  return {};
}

base::Status Examination::examine_second_build(local::Pool& pool, const Room& room) {
  BASE_TRY_ASSIGN(const auto second, build(pool, room));
  const bool faster = second.time() < k_quick || 5 * second.time() < 4 * m_built.time();
  m_rows.push_back({"second build",
                    !second.well() ? Outcome::failed
                    : faster       ? Outcome::passed
                                   : Outcome::noted,
                    !second.well()
                        ? reason_of(second.outcome)
                        : base::format_duration(second.time()) + " after " +
                              base::format_duration(m_built.time()) + (faster ? "" : ": nothing is kept")});
  return {};
}

// A place of its own, with nothing cached, as another user and with a source that cannot be written: what
// comes out of it must be the same.
base::Status Examination::examine_other_user() {
  const bool root = ::geteuid() == 0;
  Room room{.name = "other", .read_only_source = !root || m_subject.container};
  if (root && m_subject.container) room.user = k_other_user;
  BASE_TRY(base::remove_tree(m_scratch / "cache"));
  BASE_TRY_ASSIGN(auto pool, open(room));
  BASE_TRY_ASSIGN(const auto built, build(pool, room));
  if (room.read_only_source) {
    m_rows.push_back(row("without root, source read-only", built.well(),
                         built.well() ? "" : reason_of(built.outcome) + end_of(built.log)));
  } else {
    m_rows.push_back({"without root, source read-only", Outcome::skipped,
                      "pachbuild runs as root here: test the image, or run as another user"});
  }
  if (!built.well()) return {};
  BASE_TRY_ASSIGN(const auto version, local::artifact_version(built.artifact));
  const bool same = version == m_version;
  m_rows.push_back({"reproducible", same ? Outcome::passed : Outcome::noted,
                    same ? "built twice, the same bytes" : "built twice, other bytes: all datums run again"});
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
  BASE_TRY(copy_probe());
  {
    const Room room{.name = "first"};
    BASE_TRY_ASSIGN(auto pool, open(room));
    BASE_TRY(examine_first_build(pool, room));
    if (m_version.empty()) return std::move(m_rows);
    BASE_TRY(examine_program(pool));
    BASE_TRY(examine_second_build(pool, room));
  }
  BASE_TRY(examine_other_user());
  BASE_TRY(examine_size());
  return std::move(m_rows);
}

}  // namespace

base::Result<std::vector<Row>> examine(const Subject& subject, const fs::path& scratch,
                                       process::Interruption& interruption) {
  return Examination(subject, scratch, interruption).run();
}

}  // namespace conformance
