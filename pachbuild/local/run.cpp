// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/run.h"

#include <sched.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <deque>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/workspace.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "pachbuild/local/build.h"
#include "pachbuild/local/datum.h"
#include "pachbuild/local/environment.h"
#include "pachbuild/local/file_digests.h"
#include "pachbuild/local/output.h"
#include "pachbuild/local/pool.h"
#include "pachbuild/local/progress.h"
#include "pachbuild/local/state.h"
#include "process/interruption.h"
#include "report/report.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Clock = std::chrono::steady_clock;

constexpr char k_scratch[] = ".pachbuild-";
// Of a failed datum's log, the last part; and the number of datums whose logs are shown.
constexpr std::size_t k_log_shown = 8192;
constexpr std::size_t k_logs_shown = 3;

int processors() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(CPU_COUNT(&set), 1) : 1;
}

// `path` without links and dots, as far as it exists.
fs::path resolved(const fs::path& path) {
  boost::system::error_code error;
  auto result = fs::weakly_canonical(fs::absolute(path), error);
  if (error) result = fs::absolute(path).lexically_normal();
  return result.filename() == "." || result.filename().empty() ? result.parent_path() : result;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

// Everything about one run: what it was asked for, where it keeps things, and what has come of it so far.
class Job {
 public:
  Job(const RunOptions& options, process::Interruption& interruption)
      : m_options(options),
        m_spec(options.spec),
        m_output(resolved(options.output)),
        m_interruption(interruption) {}

  // Removes the output folder again if this run has made it and nothing is in it.
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  base::Result<int> run();

 private:
  base::Status check_folders() const;
  base::Status find_containers();
  base::Status prepare_folders();
  base::Status build_source();
  base::Status read_repos();
  base::Status list_work();
  base::Status run_datums();
  base::Status merge();
  void summarize(Clock::duration elapsed) const;

  [[nodiscard]] std::string job_key() const;
  [[nodiscard]] process::Environment datum_environment() const;
  [[nodiscard]] Place datum_place() const;
  [[nodiscard]] Task make_task(const Datum& datum, const std::string& key,
                               process::Environment environment) const;
  base::Status take(const Task& task, const TaskOutcome& outcome);
  void show_failure(const Task& task, const std::string& reason);
  void show_log(const Task& task, std::size_t limit) const;

  const RunOptions& m_options;
  const spec::PipelineSpec& m_spec;
  fs::path m_output;
  bool m_made_output = false;
  process::Interruption& m_interruption;

  std::optional<Container> m_builder;  // of the build and of the datums; none on this machine
  std::optional<Container> m_runner;
  fs::path m_cache;
  fs::path m_folder;  // what outlives the run: state and logs
  std::optional<base::FileLock> m_lock;
  std::optional<base::Workspace> m_build_scratch;
  std::optional<base::Workspace>
      m_scratch;  // in the output folder, so that outputs can be renamed into place
  State m_state;
  Artifact m_artifact;
  std::map<std::string, Repo> m_repos;
  std::deque<Task> m_tasks;
  std::map<std::string, std::string> m_labels;  // of all datums, by key
  std::vector<DatumOutput> m_outputs;
  std::vector<MissingDatum> m_missing;
  std::size_t m_skipped = 0;
  std::size_t m_recovered = 0;
  bool m_told_of_logs = false;  // that they are incomplete
  Progress* m_progress = nullptr;
};

Job::~Job() {
  m_scratch.reset();  // is inside
  boost::system::error_code not_empty;
  if (m_made_output) fs::remove(m_output, not_empty);
}

base::Result<int> Job::run() {
  const auto start = Clock::now();
  BASE_TRY(check_folders());
  BASE_TRY(find_containers());
  BASE_TRY(prepare_folders());
  BASE_TRY(build_source());
  BASE_TRY(read_repos());
  BASE_TRY(list_work());
  BASE_TRY(run_datums());
  BASE_TRY(merge());
  m_made_output = false;
  summarize(Clock::now() - start);
  return m_missing.empty() ? 0 : static_cast<int>(ErrorKind::step_failed);
}

// An output among the inputs would be input of the next run.
base::Status Job::check_folders() const {
  const auto check = [&](const fs::path& folder, const std::string& what) -> base::Status {
    const auto input = resolved(folder);
    if (input != m_output && !is_inside(m_output, input) && !is_inside(input, m_output)) return {};
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
  BASE_TRY_ASSIGN(m_cache, cache_folder());
  base::Sha256 identity;
  identity.update_field(m_spec.name);
  identity.update_field(m_output.string());
  m_folder = m_cache / "run" / identity.finish().substr(0, 16);
  BASE_TRY(base::make_folders(m_folder / "logs", 0700));
  BASE_TRY_ASSIGN(m_lock, base::FileLock::try_acquire(m_folder / "lock"));
  if (!m_lock->held()) {
    return base::fail(ErrorKind::cannot_write, m_output.string(), "another pachbuild is writing here",
                      "wait for it to end, or choose another --output");
  }
  BASE_TRY_ASSIGN(m_build_scratch, base::Workspace::make(m_cache / "run", k_scratch));
  m_state = load_state(m_folder / "state");
  // Now rather than after the build: it may turn out to be impossible.
  boost::system::error_code absent;
  m_made_output = !fs::exists(m_output, absent);
  return base::make_folders(m_output);
}

base::Status Job::build_source() {
  const auto start = Clock::now();
  const Container* container = m_builder ? &*m_builder : nullptr;
  BASE_TRY_ASSIGN(m_artifact, build(m_spec, container, m_cache, m_build_scratch->path(), m_interruption));
  report::info("build: done in " + base::format_duration(Clock::now() - start));
  return {};
}

base::Status Job::read_repos() {
  FileDigests digests(m_state.digests);
  for (const auto& [name, folder] : m_options.repos) {
    BASE_TRY_ASSIGN(m_repos[name], read_repo(resolved(folder).string(), digests));
  }
  m_state.digests = digests.entries();
  return {};
}

std::string Job::job_key() const {
  base::Sha256 digest;
  const auto add_list = [&](const auto& list) {
    digest.update_field(std::to_string(list.size()));
    for (const auto& item : list) digest.update_field(item);
  };
  const auto& transform = m_spec.transform;
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
  BASE_TRY_ASSIGN(const auto datums, list_datums(m_spec.input, m_repos));
  if (datums.empty()) report::warn("the inputs' globs match nothing: there is no datum to run");
  const std::string job = job_key();
  const auto environment = datum_environment();
  for (const auto& datum : datums) {
    const std::string key = datum.key(job);
    m_labels[key] = datum.label();
    const auto known = m_state.datums.find(key);
    if (known != m_state.datums.end() && is_intact(m_output, known->second)) {
      m_outputs.push_back({key, datum.label(), "", known->second});
      ++m_skipped;
    } else {
      m_tasks.push_back(make_task(datum, key, environment));
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
                           part.input->lazy, part.input->empty_files});
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
  task.log = (m_folder / "logs" / (key + ".log")).string();
  if (m_spec.datum_timeout) {
    task.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*m_spec.datum_timeout).count();
  }
  task.tries = static_cast<int>(m_spec.datum_tries.value_or(1));
  return task;
}

base::Status Job::run_datums() {
  if (m_tasks.empty()) return {};
  BASE_TRY_ASSIGN(m_scratch, base::Workspace::make(m_output, k_scratch));
  const fs::path outputs = m_scratch->path() / "outputs";
  BASE_TRY(base::make_folders(outputs, 0700));
  for (auto& task : m_tasks) {
    task.output = (outputs / task.id).string();
    BASE_TRY(base::remove_tree(task.log));
  }
  const int wanted = m_options.workers > 0 ? m_options.workers : processors();
  const int count = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(wanted), m_tasks.size()));
  BASE_TRY_ASSIGN(auto pool, Pool::start(count, m_scratch->path(), datum_place()));

  Progress progress(m_tasks.size());
  m_progress = &progress;
  const Pool::Events events{.started = [&](const Task& task) { progress.started(m_labels.at(task.id)); },
                            .done =
                                [&](const Task& task, const TaskOutcome& outcome) {
                                  progress.done();
                                  return take(task, outcome);
                                },
                            .tick = [&] { progress.draw(); }};
  BASE_TRY_ASSIGN(const auto run, pool.run(m_tasks, events, m_interruption.descriptor()));
  if (run == Pool::Run::interrupted) return base::fail(base::interrupted());
  return {};
}

base::Status Job::take(const Task& task, const TaskOutcome& outcome) {
  if (outcome.log_errno != 0 && !std::exchange(m_told_of_logs, true)) {
    const auto error = base::system_error("write", task.log, outcome.log_errno);
    m_progress->clear();
    report::warn(error.where + ": " + error.what + "; logs of datums are incomplete");
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
  if (outcome.result == TaskResult::recovered) {
    ++m_recovered;
    return {};
  }
  BASE_TRY_ASSIGN(auto files, list_output(task.output));
  m_outputs.push_back({task.id, m_labels.at(task.id), task.output, std::move(files)});
  return {};
}

void Job::show_failure(const Task& task, const std::string& reason) {
  const std::string& label = m_labels.at(task.id);
  m_progress->clear();
  m_missing.push_back({label, reason + " (log: " + task.log + ")"});
  report::warn("datum " + label + " failed: " + reason + " (log: " + task.log + ")");
  if (m_missing.size() <= k_logs_shown) {
    show_log(task, k_log_shown);
  } else if (m_missing.size() == k_logs_shown + 1) {
    report::warn("the logs of further failed datums are not shown here");
  }
}

void Job::show_log(const Task& task, std::size_t limit) const {
  auto log = base::read_file(task.log);
  if (!log || log->empty()) return;
  if (log->size() > limit) {
    const auto line = log->find('\n', log->size() - limit);
    log->erase(0, line == std::string::npos ? log->size() - limit : line + 1);
    report::output("[…]\n");
  }
  if (log->back() != '\n') *log += '\n';
  report::output(*log);
}

base::Status Job::merge() {
  // Datums end in any order; what is said of them does not depend on it.
  const auto by_label = [](const auto& a, const auto& b) { return a.label < b.label; };
  std::sort(m_outputs.begin(), m_outputs.end(), by_label);
  std::sort(m_missing.begin(), m_missing.end(), by_label);
  BASE_TRY(check_conflicts(m_outputs));
  BASE_TRY(check_foreign(m_output, m_outputs, m_state));
  return publish(m_output, m_outputs, m_missing, m_state, m_folder / "state");
}

void Job::summarize(Clock::duration elapsed) const {
  std::string text = "datums: " + std::to_string(m_tasks.size() - m_missing.size()) + " run, " +
                     std::to_string(m_skipped) + " skipped";
  if (m_recovered > 0) text += ", " + std::to_string(m_recovered) + " of them recovered by err_cmd";
  if (!m_missing.empty()) text += ", " + std::to_string(m_missing.size()) + " failed";
  report::info(text + ", " + base::format_duration(elapsed) + " in all");
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& output : m_outputs) {
    for (const auto& file : output.files) {
      ++files;
      bytes += file.size;
    }
  }
  report::info("output: " + m_output.string() + " (" + base::count_of(files, "file") + ", " +
               base::format_bytes(bytes) + ")");
  if (!m_missing.empty()) {
    report::fail({ErrorKind::step_failed, m_output.string(),
                  base::count_of(m_missing.size(), "datum") + " failed and " +
                      (m_missing.size() == 1 ? "has" : "have") + " no output here",
                  std::string(k_missing_file) + " there lists " + (m_missing.size() == 1 ? "it" : "them")});
  }
}

}  // namespace

base::Result<int> run(const RunOptions& options) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  auto code = Job(options, interruption).run();
  // Whatever an interrupted run has met on its way out is not worth telling.
  const auto signal = interruption.signal();
  if (code || !signal) return code;
  report::warn("interrupted; nothing in the output folder was changed");
  return contract::k_signal_base + *signal;
}

}  // namespace local
