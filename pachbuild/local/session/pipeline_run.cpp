// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/pipeline_run.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source_view.h"
#include "pachbuild/spec/own_command.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// In the datums' scratch: what the workers hand over.
constexpr char k_outputs[] = "outputs";

// `path` without links and dots, as far as it exists.
fs::path resolved(const fs::path& path) {
  boost::system::error_code error;
  auto result = fs::weakly_canonical(fs::absolute(path), error);
  if (error) result = fs::absolute(path).lexically_normal();
  return result.filename() == "." || result.filename().empty() ? result.parent_path() : result;
}

// That no datum came of the inputs: names the first one whose glob matches nothing, and what its repo has
// instead.
base::Error no_datum_error(const spec::PipelineSpec& spec, const Board& board) {
  const std::string hint = "--allow-empty accepts an input without datums";
  for (const auto* input : spec::repo_inputs(spec.input)) {
    const auto& commit = board.at(repo_key(*input));
    const auto matches = list_matches(*input, commit);
    if (!matches || !matches->empty()) continue;
    const auto where = spec.places.where(input->pointer + "/glob");
    const std::string repo = "repo " + input->repo + " (" + commit.folder + ")";
    if (commit.files.empty())
      return {ErrorKind::bad_input, where, repo + " has no files", "give another --input; " + hint};
    constexpr std::size_t k_shown = 3;
    std::string some;
    for (std::size_t i = 0; i < std::min(k_shown, commit.files.size()); ++i)
      some += (i == 0 ? "/" : ", /") + commit.files[i].path;
    if (commit.files.size() > k_shown) some += ", …";
    return {ErrorKind::bad_input, where, "glob \"" + input->glob + "\" matches nothing in " + repo,
            "the repo has " + base::count_of(commit.files.size(), "file") + ": " + some + "; " + hint};
  }
  return {ErrorKind::bad_input, spec.places.where("/input"),
          "the input has no datums: no files belong together", hint};
}

// As the worker feeds standard input: the lines, each with its newline.
std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::uint64_t bytes_of(const std::vector<DatumOutput>& outputs) {
  std::uint64_t bytes = 0;
  for (const auto& output : outputs) {
    for (const auto& file : output.files) bytes += file.size;
  }
  return bytes;
}

}  // namespace

PipelineRun::PipelineRun(const PlannedPipeline& pipeline, SessionParts& session)
    : m_pipeline(pipeline),
      m_spec(pipeline.spec),
      m_session(session),
      m_options(session.options),
      m_output(resolved(m_options.output)) {
  if (m_options.folder_each) m_output /= m_spec.name;
}

base::Status PipelineRun::check() {
  BASE_TRY(check_folders());
  BASE_TRY(check_own_commands());
  return find_containers();
}

base::Status PipelineRun::prepare() {
  BASE_TRY_ASSIGN(m_secrets_digest, digest_of_secrets(m_spec, m_options.secrets, m_session.cache));
  base::Sha256 identity;
  identity.update_field(m_spec.name);
  identity.update_field(m_output.string());
  m_own = m_session.cache / "run" / identity.finish().substr(0, 16);
  BASE_TRY(base::make_folders(m_own / "logs", 0700));
  // Now rather than after the build: it may turn out to be impossible.
  BASE_TRY_ASSIGN(auto folder, OutputFolder::open(m_output, m_spec.name));
  m_folder.emplace(std::move(folder));
  return {};
}

// An output among the inputs would be input of the next run.
base::Status PipelineRun::check_folders() const {
  const auto check = [&](const fs::path& folder, const std::string& what) -> base::Status {
    const auto input = resolved(folder);
    if (input != m_output && !base::path_below(m_output, input) && !base::path_below(input, m_output))
      return {};
    return base::fail(ErrorKind::usage, "--output " + m_options.output,
                      "shares files with " + what + " (" + input.string() + ")",
                      "choose a folder of its own");
  };
  if (spec::is_built(m_spec.transform)) BASE_TRY(check(m_spec.transform.build.folder, "the source"));
  for (const auto& [name, folder] : m_session.plan.folders) BASE_TRY(check(folder, "repo " + name));
  return {};
}

// Finds commands that would fail for every datum, most likely because the spec came from an image.
base::Status PipelineRun::check_own_commands() const {
  if (!spec::is_built(m_spec.transform)) return {};
  const bool is_here = m_options.engine.empty();
  BASE_TRY_ASSIGN(auto faults,
                  spec::check_commands(m_spec, source::view_of(m_spec.transform.build.folder),
                                       is_here ? spec::CommandHost::this_machine : spec::CommandHost::image));
  base::Errors errors;
  for (auto& error : faults.errors) {
    if (is_here) {
      errors.add(std::move(error));
    } else {
      faults.doubts.push_back(std::move(error));  // the image may have it
    }
  }
  for (const auto& doubt : faults.doubts) m_session.events.warned(m_spec.name, base::in_one_line(doubt));
  if (!errors.none()) return base::fail(errors.take());
  return {};
}

// The images are those that a cluster would take.
base::Status PipelineRun::find_containers() {
  if (m_options.engine.empty()) return {};
  const auto images = spec::images_of(m_spec.transform, m_options.image_prefix);
  const auto find = [&](const std::string& image) {
    return find_container(m_options.engine, image, m_options.pull, m_session.interruption);
  };
  if (spec::is_built(m_spec.transform)) {
    BASE_TRY_ASSIGN(m_builder, find(images.builder));
  }
  BASE_TRY_ASSIGN(m_runner, find(images.pipeline));
  return {};
}

int PipelineRun::run() {
  // Nobody must wait for a result that will not be there, whatever has happened.
  const auto give_up = [&] {
    for (const auto& name : m_pipeline.read_as) m_session.board.give_up(name, m_spec.name);
  };
  try {
    const auto code = try_run();
    give_up();
    // Whatever an interrupted run has met on its way out is not worth telling.
    if (code || m_session.interruption.signal()) return code.value_or(0);
    m_session.events.failed(m_spec.name, code.error());
    return static_cast<int>(code.error().kind);
  } catch (...) {
    give_up();
    throw;
  }
}

base::Result<int> PipelineRun::try_run() {
  const auto start = Clock::now();
  BASE_TRY_ASSIGN(m_scratch, make_scratch(m_session.cache));
  if (spec::is_built(m_spec.transform)) BASE_TRY(build_source());
  BASE_TRY_ASSIGN(const auto missing,
                  m_session.board.wait_for({m_pipeline.reads.begin(), m_pipeline.reads.end()}));
  if (missing) {
    m_session.events.left_out(m_spec.name, *missing);
    return static_cast<int>(ErrorKind::step_failed);
  }
  BASE_TRY(list_work());
  BASE_TRY(m_folder->check(m_outputs));  // before the first datum, as far as it can be known
  BASE_TRY(run_datums());
  BASE_TRY(export_results());
  m_session.events.finished(m_spec.name, report(Clock::now() - start));
  return m_missing.empty() ? 0 : static_cast<int>(ErrorKind::step_failed);
}

base::Status PipelineRun::build_source() {
  const auto start = Clock::now();
  const Container* const container = m_builder ? &*m_builder : nullptr;
  BASE_TRY_ASSIGN(m_artifact, m_session.builds.get(build_key(m_spec, container), [&] {
    return build(m_spec, container, m_session.cache, m_session.slots, m_session.interruption);
  }));
  m_session.events.built(m_spec.name, Clock::now() - start);
  return {};
}

std::string PipelineRun::job_key() const {
  base::Sha256 digest;
  const auto add_list = [&](const auto& list) {
    digest.update_field(std::to_string(list.size()));
    for (const auto& item : list) digest.update_field(item);
  };
  const auto& transform = m_spec.transform;
  digest.update_field("pachbuild datum 4");  // raise it when what a datum sees changes
  digest.update_field(m_spec.name);
  digest.update_field(m_spec.project);
  digest.update_field(m_artifact.source_version);
  digest.update_field(m_artifact.version);
  digest.update_field(m_runner ? m_runner->image_id : "");
  digest.update_field(m_secrets_digest);
  add_list(transform.cmd);
  add_list(transform.stdin_lines);
  add_list(transform.err_cmd);
  add_list(transform.err_stdin);
  add_list(m_options.arguments);
  digest.update_field(spec::folder_of_command(transform));
  digest.update_field(std::to_string(transform.env.size()));
  for (const auto& [name, value] : transform.env) {
    digest.update_field(name);
    digest.update_field(value);
  }
  digest.update_field(std::to_string(transform.accept_return_code.size()));
  for (const auto code : transform.accept_return_code) digest.update_field(std::to_string(code));
  if (transform.datum_batching) digest.update_field("datum_batching");
  return digest.finish();
}

// What the workers of datums stage from and write to.
std::unique_ptr<Place> PipelineRun::datum_place() const {
  if (!m_runner) return this_machine();
  auto container = *m_runner;
  for (const auto& secret : m_spec.transform.secrets) {
    if (!secret.mount_path.empty()) container.memory_folders.push_back(secret.mount_path);
  }
  std::vector<SharedFolder> shared;
  if (m_artifact.scratch) shared.push_back({m_artifact.scratch->path()});
  for (const auto& name : m_pipeline.reads) shared.push_back({m_session.board.at(name).folder});
  return containers_of(std::move(container), std::move(shared));
}

base::Status PipelineRun::list_work() {
  Commits commits;
  for (const auto& name : m_pipeline.reads) commits[name] = &m_session.board.at(name);
  auto datums = DatumList::make(m_spec.input, commits);
  if (!datums && datums.error().where.empty()) datums.error().where = m_spec.places.where("/input");
  BASE_TRY_ASSIGN(m_datums, std::move(datums));
  // Where another pipeline has written nothing there is nothing to do.
  if (m_datums.size() == 0 && m_pipeline.after.empty() && !m_options.allow_empty)
    return base::fail(no_datum_error(m_spec, m_session.board));
  m_session.events.counted(m_spec.name, m_datums.size());
  const std::string job = job_key();
  for (const auto i : m_datums.running_order()) {
    BASE_TRY(base::check_stop());
    const Datum datum = m_datums.at(i);
    std::string key = datum.key(job);
    auto known = m_options.force ? std::nullopt : m_session.store.find(key);
    if (known) {
      m_outputs.push_back({datum.label(), std::move(*known)});
      ++m_skipped;
    } else {
      m_places.emplace(datum.id, m_work.size());
      m_work.push_back({i, std::move(key)});
    }
  }
  m_session.events.begins(m_spec.name, m_work.size());
  return {};
}

spec::Words PipelineRun::own_command(spec::Words command) const {
  if (!m_artifact.has_environment) return command;
  return spec::in_environment(std::move(command), m_runner ? spec::image_place(m_spec.transform)
                                                           : spec::CommandPlace{m_artifact.shim});
}

// `environment` is what all datums share.
Task PipelineRun::make_task(const Work& work, const Place& place, process::Environment environment) {
  const Datum datum = m_datums.at(work.index);
  const auto& transform = m_spec.transform;
  Task task;
  task.id = datum.id;
  if (spec::is_built(transform)) {
    task.inputs = {
        {contract::k_source_input, m_artifact.source.string(), "", m_artifact.source_version},
        {contract::k_build_input, m_artifact.folder.string(), "", m_artifact.version, m_artifact.lazy}};
    for (auto& input : task.inputs) input.resident = transform.datum_batching;
  }
  for (const auto* part : datum.parts) {
    task.inputs.push_back({part->input->name, part->commit->folder, part->path,
                           part->path + " " + part->digest, part->input->lazy, part->input->empty_files,
                           false, part->commit->listing_of(part->files)});
  }
  task.command = transform.cmd.empty()
                     ? spec::Words{"sh", std::string(contract::k_build) + "/" + contract::k_run_script}
                     : own_command(transform.cmd);
  task.command.insert(task.command.end(), m_options.arguments.begin(), m_options.arguments.end());
  task.standard_input = joined_lines(transform.stdin_lines);
  task.error_command = own_command(transform.err_cmd);
  task.error_standard_input = joined_lines(transform.err_stdin);
  task.accepted_codes.assign(transform.accept_return_code.begin(), transform.accept_return_code.end());
  task.batching = transform.datum_batching;
  if (task.batching) task.batch_environment = environment;
  task.environment = std::move(environment);
  add_secrets(task, m_spec, m_options.secrets);
  task.datum_variables = datum_variables(datum, m_spec, m_artifact.version);
  task.folder = spec::folder_of_command(transform);
  if (task.folder.empty()) task.folder = place.folder();
  task.log = log_of(work.key);
  task.output = free_output();
  if (m_spec.datum_timeout) {
    task.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*m_spec.datum_timeout).count();
  }
  task.tries = static_cast<int>(m_spec.datum_tries.value_or(1));
  return task;
}

// Where a task's output goes: a folder that another one has left empty, or a new one.
std::string PipelineRun::free_output() {
  if (m_free_outputs.empty())
    return (m_scratch->path() / k_outputs / std::to_string(m_made_outputs++)).string();
  auto output = std::move(m_free_outputs.back());
  m_free_outputs.pop_back();
  return output;
}

base::Status PipelineRun::run_datums() {
  if (m_work.empty()) return {};
  for (const auto& name : m_pipeline.reads) BASE_TRY(m_session.board.check_out(name));
  BASE_TRY(base::make_folders(m_scratch->path() / k_outputs, 0700));
  // A failed run's logs would be taken for this one's.
  for (const auto& work : m_work) {
    BASE_TRY(base::check_stop());
    BASE_TRY(base::remove_tree(log_of(work.key)));
  }
  const auto count = std::min(static_cast<std::size_t>(m_session.slots.count()), m_work.size());
  const auto place = datum_place();
  BASE_TRY_ASSIGN(auto pool,
                  Pool::start(static_cast<int>(count), m_scratch->path(), *place, &m_session.slots));
  Collector collector(m_session.store, base::processors());

  const Pool::Events events{
      .started = [&](const Task& task) { m_session.events.started(m_spec.name, datum_of(task).label()); },
      .done =
          [&](const Task& task, const TaskOutcome& outcome, std::optional<Slots::Slot> slot) {
            return take(collector, task, outcome, std::move(slot));
          },
      .tick = [&] { return collect(collector, false); },
      .warned = [&](const std::string& what) { m_session.events.warned(m_spec.name, what); }};
  auto environment = place->environment(m_session.cache);
  add_pipeline_variables(environment, m_spec, m_artifact.source_version, m_artifact.version);
  const auto next = [&, turn = m_work.begin()]() mutable -> base::Result<std::optional<Task>> {
    if (turn == m_work.end()) return std::nullopt;
    return make_task(*turn++, *place, environment);
  };
  BASE_TRY_ASSIGN(const auto run, pool.run(next, events, m_session.interruption.descriptor()));
  if (run == Pool::Run::interrupted) return base::fail(base::interrupted());
  while (collector.pending() > 0) {
    BASE_TRY(base::check_stop());
    BASE_TRY(collect(collector, true));
  }
  return {};
}

base::Status PipelineRun::take(Collector& collector, const Task& task, const TaskOutcome& outcome,
                               std::optional<Slots::Slot> slot) {
  if (outcome.log_errno != 0 && !std::exchange(m_told_of_logs, true)) {
    const auto error = base::system_error("write", task.log, outcome.log_errno);
    m_session.events.warned(m_spec.name, error.where + ": " + error.what + "; logs of datums are incomplete");
  }
  const auto changed = changed_input(datum_of(task));
  if (!changed.empty()) {
    // Nobody can say which content the program has seen.
    report_failure(task, changed + " changed while the datum ran");
    return {};
  }
  if (outcome.error) {
    // What the program did wrong fails its datum; what the machine does, the run.
    if (outcome.error->kind != ErrorKind::step_failed) return base::fail(*outcome.error);
    report_failure(task, outcome.error->where + ": " + outcome.error->what);
    return {};
  }
  switch (outcome.result) {
    case TaskResult::succeeded:
      collector.add(task, work_of(task).key,
                    outcome.left_processes ? Collector::Openers::maybe : Collector::Openers::none,
                    std::move(slot));
      break;
    case TaskResult::recovered:
      ++m_recovered;
      report_end(task, DatumReport::Result::recovered);
      break;
    case TaskResult::failed:
      report_failure(task, outcome.reason);
      break;
    case TaskResult::never_asked:
      // Nor would it for another datum. On a cluster the job would start again and again.
      report_failure(task, outcome.reason);
      return base::fail(ErrorKind::step_failed, m_spec.places.where("/transform/datum_batching"),
                        "the program ended before it asked for a datum",
                        "with datum_batching it has to call NextDatum in a loop; see "
                        "docs/running-locally.md, \"Datum batching\"");
  }
  return {};
}

// Of the outputs that have come into the store, the next one; all of them when it does not wait.
base::Status PipelineRun::collect(Collector& collector, bool wait) {
  while (auto collected = collector.take(wait)) {
    auto& [task, files] = *collected;
    m_free_outputs.push_back(task.output);
    if (files) {
      report_end(task, DatumReport::Result::succeeded);
      m_outputs.push_back({datum_of(task).label(), std::move(*files)});
    } else if (files.error().kind == ErrorKind::step_failed && !m_session.interruption.signal()) {
      report_failure(task, files.error().where + ": " + files.error().what);
    } else {
      return base::fail(std::move(files).error());
    }
    if (wait) break;
  }
  return {};
}

void PipelineRun::report_end(const Task& task, DatumReport::Result result) {
  m_session.events.ended(m_spec.name, {datum_of(task).label(), result, "", task.log});
}

void PipelineRun::report_failure(const Task& task, const std::string& reason) {
  const std::string label = datum_of(task).label();
  m_missing.push_back({label, reason + " (log: " + task.log + ")"});
  m_session.events.ended(m_spec.name, {label, DatumReport::Result::failed, reason, task.log});
}

// Puts the result on the board first: those who read it need not wait until it has been exported.
base::Status PipelineRun::export_results() {
  // Datums end in any order; what is said of them does not depend on it.
  const auto by_label = [](const auto& a, const auto& b) { return a.label < b.label; };
  std::sort(m_outputs.begin(), m_outputs.end(), by_label);
  std::sort(m_missing.begin(), m_missing.end(), by_label);
  if (!m_missing.empty() && !m_options.partial) return {};
  BASE_TRY(m_folder->check(m_outputs));
  if (m_missing.empty() && !m_pipeline.read_as.empty()) {
    std::vector<Commit::File> files;
    for (const auto& output : m_outputs) {
      for (const auto& file : output.files) files.push_back({file.path, file.digest, file.size, {}});
    }
    for (const auto& name : m_pipeline.read_as) m_session.board.add_result(name, files);
  }
  m_session.events.exporting(m_spec.name, bytes_of(m_outputs));
  return m_folder->publish(m_outputs, m_missing, m_session.store, m_options.export_by);
}

PipelineReport PipelineRun::report(Clock::duration elapsed) const {
  PipelineReport report{.run = m_work.size() - m_missing.size(),
                        .skipped = m_skipped,
                        .recovered = m_recovered,
                        .failed = m_missing.size(),
                        .output = m_output.string(),
                        .exported = m_missing.empty() || m_options.partial,
                        .partial = m_options.partial && !m_missing.empty(),
                        .bytes = bytes_of(m_outputs),
                        .elapsed = elapsed};
  for (const auto& output : m_outputs) report.files += output.files.size();
  return report;
}

}  // namespace local
