// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/inside.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/workspace.h"
#include "contract/cache_limit.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "pachbuild/local/build.h"
#include "pachbuild/local/collector.h"
#include "pachbuild/local/datum.h"
#include "pachbuild/local/environment.h"
#include "pachbuild/local/file_digests.h"
#include "pachbuild/local/output_folder.h"
#include "pachbuild/local/own_folder.h"
#include "pachbuild/local/pool.h"
#include "pachbuild/local/progress.h"
#include "pachbuild/local/result_store.h"
#include "process/interruption.h"
#include "report/report.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Clock = std::chrono::steady_clock;

constexpr char k_scratch[] = ".pachbuild-";
// In the datums' scratch: what the workers hand over.
constexpr char k_outputs[] = "outputs";
// Of a failed datum's log, the last part; and the number of datums whose logs are shown.
constexpr std::size_t k_log_shown = 8192;
constexpr std::size_t k_logs_shown = 3;
// So many datums may surprise the person: their number is said before they run.
constexpr std::size_t k_many = 10'000;

// `path` without links and dots, as far as it exists.
fs::path resolved(const fs::path& path) {
  boost::system::error_code error;
  auto result = fs::weakly_canonical(fs::absolute(path), error);
  if (error) result = fs::absolute(path).lexically_normal();
  return result.filename() == "." || result.filename().empty() ? result.parent_path() : result;
}

// That no datum came of the inputs: names the first one whose glob matches nothing, and what its repo has
// instead.
base::Error no_datum_error(const spec::PipelineSpec& spec, const std::map<std::string, Repo>& repos) {
  for (const auto* input : spec::pfs_inputs(spec.input)) {
    const auto& repo = repos.at(input->repo);
    if (count_matches(*input, repo).value_or(1) > 0) continue;
    const auto where = spec.places.where(input->pointer + "/glob");
    const std::string hint = "; --allow-empty accepts an input without datums";
    if (repo.files.empty()) {
      return {ErrorKind::bad_input, where, "repo " + input->repo + " (" + repo.folder + ") has no files",
              "give another --input" + hint};
    }
    constexpr std::size_t k_shown = 3;
    std::string some;
    for (std::size_t i = 0; i < std::min(k_shown, repo.files.size()); ++i)
      some += (i == 0 ? "/" : ", /") + repo.files[i].path;
    if (repo.files.size() > k_shown) some += ", …";
    return {ErrorKind::bad_input, where,
            "glob \"" + input->glob + "\" matches nothing in repo " + input->repo + " (" + repo.folder + ")",
            "the repo has " + base::count_of(repo.files.size(), "file") + ": " + some + hint};
  }
  return {ErrorKind::bad_input, spec.places.where("/input"), "the input has no datums",
          "--allow-empty accepts that"};
}

// Everything about one run: what it was asked for, where it keeps things, and what has come of it so far.
class Job {
 public:
  Job(const RunOptions& options, process::Interruption& interruption)
      : m_options(options),
        m_spec(options.spec),
        m_output(resolved(options.output)),
        m_interruption(interruption) {}

  base::Result<int> run();

 private:
  base::Status check_folders() const;
  base::Status find_containers();
  base::Status prepare_folders();
  base::Status build_source();
  base::Status read_repos();
  base::Status list_work();
  base::Status run_datums();
  base::Status collect(Collector& collector, bool wait);
  base::Status export_results();
  base::Status shrink_store();
  void tell_of_export() const;
  void summarize(Clock::duration elapsed) const;
  [[nodiscard]] std::uint64_t bytes_of_output() const;

  [[nodiscard]] std::string job_key() const;
  [[nodiscard]] process::Environment datum_environment() const;
  [[nodiscard]] Place datum_place() const;
  [[nodiscard]] Datum datum_of(const std::string& key) const { return m_datums.at(m_indices.at(key)); }
  [[nodiscard]] std::string log_of(const std::string& key) const {
    return (m_own / "logs" / (key + ".log")).string();
  }
  [[nodiscard]] Task make_task(const Datum& datum, const std::string& key,
                               process::Environment environment) const;
  base::Status take(Collector& collector, const Task& task, const TaskOutcome& outcome);
  void show_failure(const Task& task, const std::string& reason);
  void show_log(const Task& task, std::size_t limit) const;

  const RunOptions& m_options;
  const spec::PipelineSpec& m_spec;
  fs::path m_output;
  process::Interruption& m_interruption;

  std::optional<Container> m_builder;  // of the build and of the datums; none on this machine
  std::optional<Container> m_runner;
  std::uint64_t m_limit = 0;  // of the store, bytes; 0: none
  fs::path m_cache;
  fs::path m_own;  // of this pipeline and output folder in the cache: logs, and digests of inputs
  std::optional<OutputFolder> m_folder;
  std::optional<ResultStore> m_store;
  std::optional<base::Workspace> m_build_scratch;
  std::optional<base::Workspace>
      m_scratch;  // of datums: no container sees more of it than its own worker's part
  Artifact m_artifact;
  std::map<std::string, Repo> m_repos;
  DatumList m_datums;
  std::vector<std::string> m_keys;               // of the datums that are to run, in their order
  std::map<std::string, std::size_t> m_indices;  // of these, in m_datums
  std::vector<DatumOutput> m_outputs;
  std::vector<MissingDatum> m_missing;
  std::size_t m_skipped = 0;
  std::size_t m_recovered = 0;
  bool m_told_of_logs = false;  // that they are incomplete
  Progress* m_progress = nullptr;
};

base::Result<int> Job::run() {
  const auto start = Clock::now();
  BASE_TRY(check_folders());
  BASE_TRY(find_containers());
  BASE_TRY(prepare_folders());
  BASE_TRY(build_source());
  BASE_TRY(read_repos());
  BASE_TRY(list_work());
  BASE_TRY(m_folder->check(m_outputs));  // before the first datum, as far as it can be known
  BASE_TRY(run_datums());
  BASE_TRY(export_results());
  summarize(Clock::now() - start);
  BASE_TRY(shrink_store());
  return m_missing.empty() ? 0 : static_cast<int>(ErrorKind::step_failed);
}

// An output among the inputs would be input of the next run.
base::Status Job::check_folders() const {
  const auto check = [&](const fs::path& folder, const std::string& what) -> base::Status {
    const auto input = resolved(folder);
    if (input != m_output && !base::path_below(m_output, input) && !base::path_below(input, m_output))
      return {};
    return base::fail(ErrorKind::usage, "--output " + m_options.output,
                      "shares files with " + what + " (" + input.string() + ")",
                      "choose a folder of its own");
  };
  BASE_TRY(check(m_spec.transform.build.folder, "the source"));
  for (const auto& [name, folder] : m_options.repos) BASE_TRY(check(folder, "repo " + name));
  return {};
}

// The images are those that a cluster would take.
base::Status Job::find_containers() {
  if (m_options.engine.empty()) return {};
  const auto images = spec::images_of(m_spec.transform, m_options.image_prefix);
  const auto find = [&](const std::string& image) {
    return find_container(m_options.engine, image, m_options.pull, m_interruption);
  };
  BASE_TRY_ASSIGN(m_builder, find(images.builder));
  BASE_TRY_ASSIGN(m_runner, find(images.pipeline));
  return {};
}

base::Status Job::prepare_folders() {
  const char* limit = std::getenv(contract::k_cache_limit_variable);
  BASE_TRY_ASSIGN(m_limit, contract::parse_cache_limit(limit == nullptr ? "" : limit));
  BASE_TRY_ASSIGN(m_cache, cache_folder());
  base::Sha256 identity;
  identity.update_field(m_spec.name);
  identity.update_field(m_output.string());
  m_own = m_cache / "run" / identity.finish().substr(0, 16);
  BASE_TRY(base::make_folders(m_own / "logs", 0700));
  // Now rather than after the build: it may turn out to be impossible.
  BASE_TRY_ASSIGN(auto folder, OutputFolder::open(m_output, m_spec.name));
  m_folder.emplace(std::move(folder));
  BASE_TRY_ASSIGN(m_store, ResultStore::open(m_cache));
  BASE_TRY_ASSIGN(m_build_scratch, base::Workspace::make(m_cache / "run", k_scratch));
  BASE_TRY_ASSIGN(m_scratch, base::Workspace::make(m_cache / "run", k_scratch));
  return {};
}

base::Status Job::build_source() {
  const auto start = Clock::now();
  const Container* container = m_builder ? &*m_builder : nullptr;
  BASE_TRY_ASSIGN(m_artifact, build(m_spec, container, m_cache, m_build_scratch->path(), m_interruption));
  report::info("build: done in " + base::format_duration(Clock::now() - start));
  return {};
}

base::Status Job::read_repos() {
  FileDigests digests(load_digests(m_own / "digests"));
  for (const auto& [name, folder] : m_options.repos) {
    BASE_TRY_ASSIGN(m_repos[name], read_repo(resolved(folder).string(), digests));
  }
  return save_digests(digests.entries(), m_own / "digests");
}

std::string Job::job_key() const {
  base::Sha256 digest;
  const auto add_list = [&](const auto& list) {
    digest.update_field(std::to_string(list.size()));
    for (const auto& item : list) digest.update_field(item);
  };
  const auto& transform = m_spec.transform;
  digest.update_field("pachbuild datum 2");  // raise it when what a datum sees changes
  digest.update_field(m_spec.name);
  digest.update_field(m_spec.project);
  digest.update_field(m_artifact.source_version);
  digest.update_field(m_artifact.version);
  digest.update_field(m_runner ? m_runner->image_id : "");
  add_list(transform.cmd);
  add_list(transform.stdin_lines);
  add_list(transform.err_cmd);
  add_list(transform.err_stdin);
  add_list(m_options.arguments);
  digest.update_field(transform.working_dir);
  digest.update_field(std::to_string(transform.env.size()));
  for (const auto& [name, value] : transform.env) {
    digest.update_field(name);
    digest.update_field(value);
  }
  digest.update_field(std::to_string(transform.accept_return_code.size()));
  for (const auto code : transform.accept_return_code) digest.update_field(std::to_string(code));
  return digest.finish();
}

process::Environment Job::datum_environment() const {
  auto environment = m_runner ? network_environment() : machine_environment(m_cache);
  add_pipeline_variables(environment, m_spec, m_artifact.source_version, m_artifact.version);
  return environment;
}

// What the workers of datums stage from and write to.
Place Job::datum_place() const {
  if (!m_runner) return {};
  Place place{&*m_runner, {{m_build_scratch->path()}}};
  for (const auto& [name, repo] : m_repos) place.shared.push_back({repo.folder});
  return place;
}

base::Status Job::list_work() {
  auto datums = DatumList::make(m_spec.input, m_repos);
  if (!datums && datums.error().where.empty()) datums.error().where = m_spec.places.where("/input");
  BASE_TRY_ASSIGN(m_datums, std::move(datums));
  if (m_datums.size() == 0 && !m_options.allow_empty) return base::fail(no_datum_error(m_spec, m_repos));
  if (m_datums.size() == 0) report::warn("the input has no datums");
  if (m_datums.size() >= k_many) report::info("datums: " + base::format_number(m_datums.size()) + " in all");
  const std::string job = job_key();
  for (std::size_t i = 0; i < m_datums.size(); ++i) {
    BASE_TRY(base::check_stop());
    const Datum datum = m_datums.at(i);
    const std::string key = datum.key(job);
    auto known = m_options.force ? std::nullopt : m_store->find(key);
    if (known) {
      m_outputs.push_back({datum.label(), std::move(*known)});
      ++m_skipped;
    } else if (m_indices.emplace(key, i).second) {
      m_keys.push_back(key);
    }
  }
  return {};
}

// As the worker feeds standard input: the lines, each with its newline.
std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

// `environment` is what all datums share.
Task Job::make_task(const Datum& datum, const std::string& key, process::Environment environment) const {
  const auto& transform = m_spec.transform;
  Task task;
  task.id = key;
  task.inputs = {
      {contract::k_source_input, m_artifact.source.string(), "", m_artifact.source_version},
      {contract::k_build_input, m_artifact.folder.string(), "", m_artifact.version, m_artifact.lazy}};
  for (const auto& part : datum.parts) {
    task.inputs.push_back({part.input->name, part.repo->folder, part.path, part.path + " " + part.digest,
                           part.input->lazy, part.input->empty_files, false, part.listing()});
  }
  task.command = transform.cmd;
  if (task.command.empty())
    task.command = {"sh", std::string(contract::k_build) + "/" + contract::k_run_script};
  task.command.insert(task.command.end(), m_options.arguments.begin(), m_options.arguments.end());
  task.standard_input = joined_lines(transform.stdin_lines);
  task.error_command = transform.err_cmd;
  task.error_standard_input = joined_lines(transform.err_stdin);
  task.accepted_codes.assign(transform.accept_return_code.begin(), transform.accept_return_code.end());
  task.environment = std::move(environment);
  add_datum_variables(task.environment, datum, key);
  task.folder = transform.working_dir;
  if (task.folder.empty() && !m_runner) task.folder = "/";
  task.log = log_of(key);
  task.output = (m_scratch->path() / k_outputs / key).string();
  if (m_spec.datum_timeout) {
    task.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*m_spec.datum_timeout).count();
  }
  task.tries = static_cast<int>(m_spec.datum_tries.value_or(1));
  return task;
}

base::Status Job::run_datums() {
  if (m_keys.empty()) return {};
  BASE_TRY(base::make_folders(m_scratch->path() / k_outputs, 0700));
  // A failed run's logs would be taken for this one's.
  for (const auto& key : m_keys) {
    BASE_TRY(base::check_stop());
    BASE_TRY(base::remove_tree(log_of(key)));
  }
  const int wanted = m_options.workers > 0 ? m_options.workers : static_cast<int>(base::processors());
  const int count = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(wanted), m_keys.size()));
  BASE_TRY_ASSIGN(auto pool, Pool::start(count, m_scratch->path(), datum_place()));
  Collector collector(*m_store, base::processors());

  Progress progress(m_keys.size());
  m_progress = &progress;
  const Pool::Events events{
      .started = [&](const Task& task) { progress.started(datum_of(task.id).label()); },
      .done = [&](const Task& task, const TaskOutcome& outcome) { return take(collector, task, outcome); },
      .tick =
          [&] {
            progress.draw();
            return collect(collector, false);
          }};
  const auto environment = datum_environment();
  const auto next = [&, turn = m_keys.begin()]() mutable -> base::Result<std::optional<Task>> {
    if (turn == m_keys.end()) return std::nullopt;
    const auto& key = *turn++;
    return make_task(datum_of(key), key, environment);
  };
  BASE_TRY_ASSIGN(const auto run, pool.run(next, events, m_interruption.descriptor()));
  if (run == Pool::Run::interrupted) return base::fail(base::interrupted());
  while (collector.pending() > 0) {
    BASE_TRY(base::check_stop());
    progress.draw();
    BASE_TRY(collect(collector, true));
  }
  return {};
}

base::Status Job::take(Collector& collector, const Task& task, const TaskOutcome& outcome) {
  if (outcome.log_errno != 0 && !std::exchange(m_told_of_logs, true)) {
    const auto error = base::system_error("write", task.log, outcome.log_errno);
    m_progress->clear();
    report::warn(error.where + ": " + error.what + "; logs of datums are incomplete");
  }
  const auto changed = changed_input(datum_of(task.id));
  if (!changed.empty()) {
    // Nobody can say which content the program has seen.
    show_failure(task, changed + " changed while the datum ran");
    return {};
  }
  if (outcome.error) {
    // What the program did wrong fails its datum; what the machine does, the run.
    if (outcome.error->kind != ErrorKind::step_failed) return base::fail(*outcome.error);
    show_failure(task, outcome.error->where + ": " + outcome.error->what);
    return {};
  }
  if (outcome.result == TaskResult::failed) {
    show_failure(task, outcome.reason);
    return {};
  }
  if (m_options.show_logs) {
    m_progress->clear();
    show_log(task, std::string::npos);
  }
  if (outcome.result == TaskResult::succeeded) {
    collector.add(task);
  } else {
    ++m_recovered;
    m_progress->done();
  }
  return {};
}

// Of the outputs that have come into the store, the next one; all of them when it does not wait.
base::Status Job::collect(Collector& collector, bool wait) {
  while (auto collected = collector.take(wait)) {
    auto& [task, files] = *collected;
    if (files) {
      m_progress->done();
      m_outputs.push_back({datum_of(task.id).label(), std::move(*files)});
    } else if (files.error().kind == ErrorKind::step_failed && !m_interruption.signal()) {
      show_failure(task, files.error().where + ": " + files.error().what);
    } else {
      return base::fail(std::move(files).error());
    }
    if (wait) break;
  }
  return {};
}

void Job::show_failure(const Task& task, const std::string& reason) {
  const std::string label = datum_of(task.id).label();
  m_progress->done();
  m_progress->clear();
  m_missing.push_back({label, reason + " (log: " + task.log + ")"});
  report::warn("datum " + label + " failed: " + reason + " (log: " + task.log + ")");
  if (m_missing.size() <= k_logs_shown) {
    show_log(task, k_log_shown);
  } else if (m_missing.size() == k_logs_shown + 1) {
    report::warn("the logs of further failed datums are not shown here");
  }
}

// Without a container a program sees the logs of this machine, and may have put anything in the place of its
// own.
base::Result<std::string> read_log(const std::string& path) {
  const base::UniqueFd log(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!log || ::fstat(log.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)
    return base::fail(base::system_error("read", path, log ? EPERM : errno));
  return base::read_file("/proc/self/fd/" + std::to_string(log.get()));
}

void Job::show_log(const Task& task, std::size_t limit) const {
  auto log = read_log(task.log);
  if (!log || log->empty()) return;
  if (log->size() > limit) {
    const auto line = log->find('\n', log->size() - limit);
    log->erase(0, line == std::string::npos ? log->size() - limit : line + 1);
    report::output("[…]\n");
  }
  if (log->back() != '\n') *log += '\n';
  report::output(*log);
}

// Copying that takes longer than a person waits without wondering.
void Job::tell_of_export() const {
  constexpr std::uint64_t k_large = std::uint64_t{256} << 20;
  if (::isatty(STDERR_FILENO) == 1 && bytes_of_output() >= k_large)
    report::info("output: writing " + base::format_bytes(bytes_of_output()));
}

base::Status Job::export_results() {
  // Datums end in any order; what is said of them does not depend on it.
  const auto by_label = [](const auto& a, const auto& b) { return a.label < b.label; };
  std::sort(m_outputs.begin(), m_outputs.end(), by_label);
  std::sort(m_missing.begin(), m_missing.end(), by_label);
  if (!m_missing.empty() && !m_options.partial) return {};
  BASE_TRY(m_folder->check(m_outputs));
  tell_of_export();
  return m_folder->publish(m_outputs, m_missing, *m_store, m_options.export_by);
}

base::Status Job::shrink_store() {
  BASE_TRY_ASSIGN(const auto removed, std::move(*m_store).shrink(m_limit));
  if (removed.datums > 0) {
    report::info("cache: removed the least recently used results: " +
                 base::count_of(removed.datums, "datum") + ", " + base::format_bytes(removed.bytes));
  }
  return {};
}

std::uint64_t Job::bytes_of_output() const {
  std::uint64_t bytes = 0;
  for (const auto& output : m_outputs) {
    for (const auto& file : output.files) bytes += file.size;
  }
  return bytes;
}

void Job::summarize(Clock::duration elapsed) const {
  std::string text = "datums: " + std::to_string(m_keys.size() - m_missing.size()) + " run, " +
                     std::to_string(m_skipped) + " skipped";
  if (m_recovered > 0) text += ", " + std::to_string(m_recovered) + " of them recovered by err_cmd";
  if (!m_missing.empty()) text += ", " + std::to_string(m_missing.size()) + " failed";
  report::info(text + ", " + base::format_duration(elapsed) + " in all");
  const bool exported = m_missing.empty() || m_options.partial;
  std::uint64_t files = 0;
  for (const auto& output : m_outputs) files += output.files.size();
  if (exported) {
    report::info("output: " + m_output.string() + " (" + base::count_of(files, "file") + ", " +
                 base::format_bytes(bytes_of_output()) + ")");
  }
  if (exported && files == 0 && m_missing.empty()) report::warn("no datum wrote a file to /pfs/out");
  if (m_missing.empty()) return;
  const std::string failed = base::count_of(m_missing.size(), "datum") + " failed";
  if (m_options.partial) {
    report::fail({ErrorKind::step_failed, m_output.string(),
                  failed + " and " + (m_missing.size() == 1 ? "has" : "have") + " no output here",
                  "see " + std::string(k_own_folder) + "/missing in that folder"});
  } else {
    report::fail({ErrorKind::step_failed, m_output.string(),
                  failed + ", so the output folder was not changed",
                  "the results of the other datums are kept for the next run; --partial exports them now"});
  }
}

}  // namespace

base::Result<int> run(const RunOptions& options) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  auto code = Job(options, interruption).run();
  // Whatever an interrupted run has met on its way out is not worth telling.
  const auto signal = interruption.signal();
  if (code || !signal) return code;
  report::warn(
      "interrupted; the output folder was not changed, and finished datums are kept for the next run");
  return contract::k_signal_base + *signal;
}

}  // namespace local
