// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/pipeline_run.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/time_text.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/selection.h"
#include "pachbuild/local/record/kept_logs.h"
#include "pachbuild/local/results/output_conflicts.h"
#include "pachbuild/local/results/own_folder.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/session/import_time.h"
#include "pachbuild/local/session/phase.h"
#include "pachbuild/local/session/shell.h"
#include "pachbuild/local/session/silence.h"
#include "pachbuild/source/source_view.h"
#include "pachbuild/spec/own_command.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// In the datums' scratch: what the workers hand over.
constexpr char k_outputs[] = "outputs";

// That no datum came of the inputs: names the first one whose glob matches nothing, and what its repo has
// instead.
base::Error no_datum_error(const spec::PipelineSpec& spec, const Board& board) {
  const std::string hint = "--allow-empty accepts an input without datums";
  for (const auto* input : spec::repo_inputs(spec.input)) {
    const auto& commit = board.at(repo_key(*input));
    const auto matches = list_matches(*input, commit);
    if (!matches || !matches->empty()) continue;
    const auto where = spec.places.where(input->pointer + "/glob");
    const std::string repo = "repo " + input->repo + " (" + commit.place() + ")";
    if (commit.files.empty())
      return {ErrorKind::bad_input, where, repo + " has no files", "use another --input; " + hint};
    constexpr std::size_t k_shown = 3;
    std::string some;
    for (std::size_t i = 0; i < std::min(k_shown, commit.files.size()); ++i)
      some += (i == 0 ? "/" : ", /") + commit.files[i].path;
    if (commit.files.size() > k_shown) some += ", …";
    const auto meant = did_you_mean_glob(*input, commit);
    return {ErrorKind::bad_input, where, "glob \"" + input->glob + "\" matches nothing in " + repo,
            (meant.empty() ? "the repo has " : meant + " The repo has ") +
                base::count_of(commit.files.size(), "file") + ": " + some + "; " + hint};
  }
  return {ErrorKind::bad_input, spec.places.where("/input"),
          "the input has no datums: its globs match files, but none of them can be combined",
          "compare what the globs capture with pachbuild glob; " + hint};
}

// As the worker feeds standard input: the lines, each with its newline.
std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::uint64_t bytes_of(const std::vector<ResultFile>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.size;
  return bytes;
}

std::vector<DatumInput> inputs_of(const Datum& datum) {
  std::vector<DatumInput> inputs;
  inputs.reserve(datum.parts.size());
  for (const auto* part : datum.parts) {
    const auto& commit = *part->commit;
    inputs.push_back({.name = part->input->name,
                      .path = part->pfs_path(),
                      .file = commit.is_ours ? "" : (fs::path(commit.folder) / part->path).string()});
  }
  return inputs;
}

std::uint64_t bytes_of(const std::vector<DatumOutput>& outputs) {
  std::uint64_t bytes = 0;
  for (const auto& output : outputs) bytes += bytes_of(output.files);
  return bytes;
}

}  // namespace

PipelineRun::PipelineRun(const PlannedPipeline& pipeline, SessionParts& session)
    : m_pipeline(pipeline),
      m_spec(pipeline.spec),
      m_session(session),
      m_options(session.options),
      m_output(base::resolved_path(m_options.output)) {
  if (m_options.folder_each) m_output /= m_spec.name;
}

base::Status PipelineRun::check() {
  BASE_TRY(check_folders());
  BASE_TRY(check_layout());
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
  const bool goes_on = m_options.shell == nullptr || !is_last();
  BASE_TRY_ASSIGN(auto run, ThisRun::begin(m_session.cache, m_spec.places.file(), m_spec.name, goes_on));
  m_run.emplace(std::move(run));
  if (!is_exported()) return {};
  // Now rather than after the build: it may turn out to be impossible.
  BASE_TRY_ASSIGN(auto folder, OutputFolder::open(m_output, m_spec.name));
  m_folder.emplace(std::move(folder));
  return {};
}

// An output among the inputs would be input of the next run.
base::Status PipelineRun::check_folders() const {
  if (!is_exported()) return {};
  // A folder of output is no part of the source that it is in.
  enum class Below { refused, accepted };
  const auto check = [&](const fs::path& folder, const std::string& what, Below below) -> base::Status {
    const auto input = base::resolved_path(folder);
    const bool is_below = base::path_below(m_output, input) && below == Below::refused;
    if (input != m_output && !is_below && !base::path_below(input, m_output)) return {};
    return base::fail(ErrorKind::usage, "--output " + m_options.output,
                      "overlaps with " + what + " (" + input.string() + ")", "choose a separate folder");
  };
  if (spec::is_built(m_spec.transform))
    BASE_TRY(check(m_spec.transform.build.folder, "the source", Below::accepted));
  const auto& builder = m_spec.transform.build.builder;
  if (!builder.empty()) BASE_TRY(check(builder, "the builder", Below::refused));
  for (const auto& [name, folder] : m_session.plan.folders)
    BASE_TRY(check(folder, "repo " + name, Below::refused));
  return {};
}

// A folder has the output of one pipeline, or a subfolder for each of several: of both, one would be old.
base::Status PipelineRun::check_layout() const {
  if (!is_exported()) return {};
  const auto fail = [](const fs::path& folder, const std::string& what, const std::string& choice) {
    return base::fail(ErrorKind::cannot_write, folder.string(), what, "choose another --output, " + choice);
  };
  const auto folder = m_options.folder_each ? m_output.parent_path() : m_output;
  const auto own = OutputFolder::pipeline_at(folder);
  if (m_options.folder_each) {
    if (!own) return {};
    return fail(folder, "contains the output of pipeline " + *own + ", not a subfolder for each pipeline",
                "or remove that folder");
  }
  if (own) return {};
  boost::system::error_code error;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    const auto name = entry->path().filename().string();
    if (OutputFolder::pipeline_at(entry->path()) == name)
      return fail(folder, "contains the output of several pipelines, such as " + name + ", in subfolders",
                  "such as " + base::quoted((folder / m_spec.name).string()));
    entry.increment(error);
  }
  return {};
}

// Finds commands that would fail for every datum, most likely because the spec came from an image.
base::Status PipelineRun::check_own_commands() const {
  if (!spec::is_built(m_spec.transform)) return {};
  const bool is_here = m_options.engine.empty();
  BASE_TRY_ASSIGN(auto faults,
                  spec::check_commands(m_spec, source::view_of(m_spec.transform.build),
                                       is_here ? spec::CommandHost::this_machine : spec::CommandHost::image));
  base::Errors errors;
  for (auto& error : faults.errors) {
    if (is_here) {
      errors.add(std::move(error));
    } else {
      faults.doubts.push_back(std::move(error));  // the image may have it
    }
  }
  for (const auto& doubt : faults.doubts) tell(Warned{base::in_one_line(doubt)});
  if (!errors.none()) return base::fail(errors.take());
  return {};
}

// The images are those that a cluster would take.
base::Status PipelineRun::find_containers() {
  if (m_options.engine.empty()) return {};
  if (!m_spec.transform.build.builder.empty()) {
    return base::fail(ErrorKind::bad_input, m_spec.places.where("/transform/build/image"),
                      base::quoted(m_spec.transform.build.image) + " is a folder; --runtime needs an image",
                      "omit --runtime, or build an image of the folder and name that");
  }
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
    // The build has told why it failed.
    const auto& error = code.error();
    if (error.kind != ErrorKind::usage)
      note_early_end(error.what.empty() ? "its build failed" : base::without_hint(error));
    tell(PipelineFails{code.error()});
    return static_cast<int>(code.error().kind);
  } catch (...) {
    give_up();
    throw;
  }
}

base::Result<int> PipelineRun::try_run() {
  const auto start = Clock::now();
  BASE_TRY_ASSIGN(m_scratch, make_scratch(m_session.cache));
  if (spec::is_built(m_spec.transform)) {
    const auto built = build_source();
    if (!built) accept();
    BASE_TRY(built);
  }
  BASE_TRY_ASSIGN(const auto missing,
                  m_session.board.wait_for({m_pipeline.reads.begin(), m_pipeline.reads.end()}));
  if (missing) {
    accept();
    note_early_end("it reads " + *missing + ", which has no result");
    tell(PipelineLeftOut{*missing});
    return static_cast<int>(ErrorKind::step_failed);
  }
  begin_record();
  explain_build();
  BASE_TRY(list_datums());
  accept();
  if (m_options.shell != nullptr && is_last()) return run_shell();
  BASE_TRY(list_work());
  if (!m_work.empty()) {
    // Before the first datum, as far as it can be known.
    BASE_TRY(check_outputs());
    save_record();
  }
  const auto ran = run_datums();
  save_record();
  BASE_TRY(ran);
  BASE_TRY(export_results());
  tell(report(Clock::now() - start));
  if (m_hint) tell(Hinted{std::move(*m_hint)});
  if (m_conflict) return base::fail(std::move(*m_conflict));
  return m_missing.size() == m_unselected ? 0 : static_cast<int>(ErrorKind::step_failed);
}

void PipelineRun::accept() const {
  if (is_last() && m_options.accepted) m_options.accepted();
}

base::Status PipelineRun::build_source() {
  const Container* const container = m_builder ? &*m_builder : nullptr;
  const auto tell_it = [&](Event::What what) { tell(std::move(what)); };
  BASE_TRY_ASSIGN(m_artifact, in_phase(tell_it, Phase::building, "", nullptr, [&] {
                    return m_session.builds.get(build_key(m_spec, container), [&] {
                      return build(m_spec, container, m_session.cache, m_session.slots,
                                   m_session.interruption, tell_it);
                    });
                  }));
  return {};
}

Job PipelineRun::job() const {
  return {m_spec, m_artifact, m_runner ? m_runner->image_id : "", m_secrets_digest, m_options.arguments};
}

void PipelineRun::begin_record() {
  m_run->read_last();
  auto& record = m_run->record();
  record.started = base::seconds_now();
  record.output = is_exported() ? m_output.string() : "";
  record.logs = (m_own / "logs").string();
  record.build = build_facts(m_spec, m_artifact);
  record.settings = job().settings();
}

void PipelineRun::explain_build() {
  if (!spec::is_built(m_spec.transform)) return;
  const auto because = m_run->explain_build();
  tell(Explained{
      .what = "build",
      .because = because.empty() ? "nothing changed" : because,
      .build = std::make_shared<BuildResult>(BuildResult{m_artifact.version, m_artifact.record, because})});
}

// What the workers of datums stage from and write to.
std::unique_ptr<WorkerHost> PipelineRun::datum_host() const {
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

base::Status PipelineRun::list_datums() {
  Commits commits;
  for (const auto& name : m_pipeline.reads) commits[name] = &m_session.board.at(name);
  auto datums = DatumList::make(m_spec.input, commits);
  if (!datums && datums.error().where.empty()) datums.error().where = m_spec.places.where("/input");
  BASE_TRY_ASSIGN(m_datums, std::move(datums));
  // Where another pipeline has written nothing there is nothing to do.
  if (m_datums.size() == 0 && m_pipeline.after.empty() && !m_options.allow_empty)
    return base::fail(no_datum_error(m_spec, m_session.board));
  tell(Counted{m_datums.size()});
  if (is_last() && !m_options.datums.empty()) {
    BASE_TRY_ASSIGN(m_selected, select_datums(m_datums, m_spec.input, commits, m_options.datums));
  }
  if (!m_options.only_failed) return {};
  if (!m_selected) {
    m_selected.emplace(m_datums.size());
    std::iota(m_selected->begin(), m_selected->end(), 0);
  }
  std::erase_if(*m_selected, [&](std::size_t i) {
    const auto* last = m_run->last_of(m_datums.at(i).id);
    return last == nullptr || last->state != LastState::failed;
  });
  // Among several pipelines most have no failure.
  if (m_selected->empty() && m_session.plan.pipelines.size() == 1)
    tell(Warned{"--failed: no datum failed in the last run"});
  return {};
}

base::Status PipelineRun::list_work() {
  const std::string job_key = job().key();
  auto& records = m_run->record().datums;
  records.reserve(m_datums.size());
  // Of a million datums this takes a while.
  constexpr std::size_t k_between_checks = 1 << 16;
  while (records.size() < m_datums.size()) {
    BASE_TRY(base::check_stop());
    records.resize(std::min(m_datums.size(), records.size() + k_between_checks));
  }
  std::map<int, std::vector<Work>> by_rank;
  for (const auto i : m_datums.running_order()) {
    BASE_TRY(base::check_stop());
    const Datum datum = m_datums.at(i);
    std::string key = datum.key(job_key);
    auto& record = records[i];
    record = {.id = datum.id, .label = datum.label(), .key = key};
    const bool selected = !m_selected || std::binary_search(m_selected->begin(), m_selected->end(), i);
    auto known = m_options.force && selected ? std::nullopt : m_session.store.find(key);
    const auto* last = m_run->last_of(datum.id);
    if (last != nullptr && last->key != key) last = nullptr;
    record.printed = last != nullptr && last->printed && (known || !selected);
    if (known) {
      tell(DatumSkipped{.datum = {datum.id, datum.number, record.label},
                        .inputs = inputs_of(datum),
                        .log = log_of(key),
                        .files = known->size(),
                        .bytes = bytes_of(*known)});
      record.state = LastState::skipped;
      m_outputs.push_back({record.label, std::move(*known)});
      ++m_skipped;
    } else if (!selected) {
      // That it has failed stays known.
      if (last != nullptr) {
        record.state = last->state;
        record.milliseconds = last->milliseconds;
        record.failure = last->failure;
      }
      m_missing.push_back({record.label, "was not selected"});
      ++m_unselected;
    } else {
      by_rank[m_run->rank_of(record.label)].push_back({i, std::move(key)});
    }
  }
  for (auto& [rank, works] : by_rank) std::move(works.begin(), works.end(), std::back_inserter(m_work));
  for (std::size_t i = 0; i < m_work.size(); ++i) m_places.emplace(records[m_work[i].index].id, i);
  for (const auto& name : m_pipeline.reads) m_run->note_files(name, m_session.board.at(name));
  for (auto& [what, because] : m_run->explain(m_datums, running_datums(), m_options.force))
    tell(Explained{.what = std::move(what), .because = std::move(because)});
  tell(DatumsBegin{m_work.size()});
  return {};
}

std::vector<std::size_t> PipelineRun::running_datums() const {
  std::vector<std::size_t> datums;
  datums.reserve(m_work.size());
  for (const auto& work : m_work) datums.push_back(work.index);
  return datums;
}

void PipelineRun::save_record() {
  // Nothing is told that way which a run of the same would not know.
  const auto saved = m_run->save();
  m_is_recorded = true;
  if (!saved && !m_session.interruption.signal()) tell(Warned{base::without_hint(saved.error())});
}

void PipelineRun::note_early_end(const std::string& why) {
  const bool is_shell = m_options.shell != nullptr && is_last();
  if (m_is_recorded || is_shell) return;
  // Its failure is told anyway.
  static_cast<void>(m_run->save(EarlyEnd{base::seconds_now(), why}));
}

spec::Words PipelineRun::own_command(spec::Words command) const {
  if (!m_artifact.has_environment) return command;
  return spec::in_environment(std::move(command), m_runner ? spec::image_place(m_spec.transform)
                                                           : spec::CommandPlace{m_artifact.shim});
}

// `environment` is what all datums share.
Task PipelineRun::make_task(const Work& work, const WorkerHost& host, process::Environment environment) {
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
  task.datum_variables = datum_variables(datum, m_spec, m_artifact.version, m_session.plan.job);
  task.folder = spec::folder_of_command(transform);
  if (task.folder.empty()) task.folder = host.folder();
  task.log = log_of(work.key);
  task.tells_strangers = true;
  task.output = free_output();
  if (m_spec.datum_timeout) {
    task.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*m_spec.datum_timeout).count();
  }
  task.tries = static_cast<int>(m_spec.datum_tries.value_or(1));
  return task;
}

process::Environment PipelineRun::datum_environment(const WorkerHost& host) const {
  auto environment = host.environment(m_session.cache);
  add_pipeline_variables(environment, m_spec, m_artifact.source_version, m_artifact.version);
  return environment;
}

// Without a word about it one that failed last time, since that is what a person wants to look at.
std::size_t PipelineRun::place_of_shell() const {
  if (m_selected && !m_selected->empty()) return m_selected->front();
  for (std::size_t i = 0; i < m_datums.size(); ++i) {
    const auto* last = m_run->last_of(m_datums.at(i).id);
    if (last != nullptr && last->state == LastState::failed) return i;
  }
  return 0;
}

base::Result<int> PipelineRun::run_shell() {
  const auto& shell = *m_options.shell;
  if (m_datums.size() == 0) return base::fail(no_datum_error(m_spec, m_session.board));
  const Datum datum = m_datums.at(place_of_shell());
  BASE_TRY(check_out({datum.number - 1}));
  BASE_TRY(base::make_folders(m_scratch->path() / k_outputs, 0700));
  const auto host = datum_host();
  Task task = make_task({datum.number - 1, ""}, *host, datum_environment(*host));
  ShellBegins begins{.datum = datum.name(),
                     .datums = m_datums.size(),
                     .program = m_spec.transform.cmd,
                     .input_lines = m_spec.transform.stdin_lines};
  if (begins.program.empty()) {
    begins.program = task.command;
    if (auto folder = start_folder_of_artifact(m_artifact.record, m_spec.transform); !folder.empty())
      task.environment["PWD"] = task.folder = std::move(folder);
  } else {
    begins.program.insert(begins.program.end(), m_options.arguments.begin(), m_options.arguments.end());
  }
  auto command = shell.command;
  if (command.empty()) {
    BASE_TRY_ASSIGN(command, find_shell(m_runner.has_value(), m_scratch->path()));
    // Not the long name behind the link in /pfs.
    if (!task.folder.empty()) task.environment["PWD"] = task.folder;
  }
  task = attended_task(std::move(task), own_command(std::move(command)), shell.has_terminal);

  BASE_TRY_ASSIGN(auto pool, Pool::start(1, m_scratch->path(), *host));
  bool has_started = false;
  BASE_TRY_ASSIGN(const auto outcome,
                  pool.run_attended(task, m_session.interruption.descriptor(), [&](AttendedCommand& started) {
                    has_started = true;
                    shell.begins(begins);
                    return attend(started, shell.has_terminal, m_session.interruption);
                  }));
  if (outcome.error && !has_started) return base::fail(*outcome.error);
  if (outcome.result == TaskResult::failed && !outcome.error) {
    tell(PipelineFails{{ErrorKind::unavailable, "", outcome.reason, ""}});
    return outcome.exit_code;
  }
  ShellEnds ends;
  if (outcome.error) {
    ends.fault = base::in_one_line(*outcome.error);
  } else {
    auto files = OutputTree::open(task.output).and_then([](const auto& tree) { return tree.list(); });
    if (files) {
      ends.files = std::move(*files);
    } else {
      ends.fault = base::in_one_line(files.error());
    }
  }
  shell.ends(ends);
  return outcome.exit_code;
}

// Where a task's output goes: a folder that another one has left empty, or a new one.
std::string PipelineRun::free_output() {
  if (m_free_outputs.empty())
    return (m_scratch->path() / k_outputs / std::to_string(m_made_outputs++)).string();
  auto output = std::move(m_free_outputs.back());
  m_free_outputs.pop_back();
  return output;
}

// What these datums have of each repo.
base::Status PipelineRun::check_out(const std::vector<std::size_t>& datums) {
  std::map<const Commit*, std::vector<Commit::Range>> needed;
  for (const auto index : datums) {
    BASE_TRY(base::check_stop());
    for (const auto* part : m_datums.at(index).parts) needed[part->commit].push_back(part->files);
  }
  for (const auto& name : m_pipeline.reads) {
    const auto& commit = m_session.board.at(name);
    const auto check_out = [&] { return m_session.board.check_out(name, needed[&commit]); };
    const auto tell_it = [&](Event::What what) { tell(std::move(what)); };
    BASE_TRY(commit.is_remote() ? in_phase(tell_it, Phase::reading, name, nullptr, check_out) : check_out());
  }
  return {};
}

base::Status PipelineRun::run_datums() {
  if (m_work.empty()) return {};
  BASE_TRY(check_out(running_datums()));
  BASE_TRY(base::make_folders(m_scratch->path() / k_outputs, 0700));
  // A failed run's logs would be taken for this one's, and those of earlier code by nobody.
  std::set<std::string> keys;
  for (const auto& datum : m_run->record().datums) {
    if (!m_places.contains(datum.id)) keys.insert(datum.key);
  }
  keep_logs(m_own / "logs", keys);
  const auto count = std::min(static_cast<std::size_t>(m_session.slots.count()), m_work.size());
  const auto host = datum_host();
  BASE_TRY_ASSIGN(auto pool,
                  Pool::start(static_cast<int>(count), m_scratch->path(), *host, &m_session.slots));
  Collector collector(m_session.store, base::processors());

  Pool::Events events{.started =
                          [&](const Task& task) {
                            tell(DatumStarts{.datum = name_of(task),
                                             .inputs = inputs_of(m_datums.at(work_of(task).index)),
                                             .log = task.log,
                                             .because = m_run->record().reasons[record_of(task).reason]});
                          },
                      .done =
                          [&](const Task& task, const TaskOutcome& outcome, std::optional<Slots::Slot> slot) {
                            return take(collector, task, outcome, std::move(slot));
                          },
                      .tick = [&]() -> base::Status {
                        BASE_TRY(collect(collector, false));
                        export_what_has_ended();
                        return {};
                      },
                      .warned = [&](const std::string& what) { tell(Warned{what}); },
                      .printed = {},
                      .only_newest = m_options.printed == Printed::newest,
                      .wake = collector.descriptor()};
  if (m_options.printed != Printed::nothing) {
    events.printed = [&](const Task& task, std::string_view text) {
      tell(DatumPrints{name_of(task), std::string(text)});
    };
  }
  m_early = {m_options.partial && m_folder, Clock::now(), Clock::now(), m_outputs.empty(), m_outputs.size()};
  const auto environment = datum_environment(*host);
  const auto next = [&, turn = m_work.begin()]() mutable -> base::Result<std::optional<Task>> {
    if (turn == m_work.end()) return std::nullopt;
    return make_task(*turn++, *host, environment);
  };
  BASE_TRY_ASSIGN(const auto run, pool.run(next, events, m_session.interruption.descriptor()));
  if (run == Pool::Run::interrupted) return base::fail(base::interrupted());
  while (collector.pending() > 0) {
    BASE_TRY(base::check_stop());
    BASE_TRY(collect(collector, true));
  }
  return time_imports(pool, *host, environment);
}

// The median of the datums that ran to a good end; 0: there is none.
std::chrono::milliseconds PipelineRun::usual_time() const {
  std::vector<std::int64_t> times;
  for (const auto& work : m_work) {
    const auto& datum = m_run->record().datums[work.index];
    if (datum.state == LastState::succeeded) times.push_back(datum.milliseconds);
  }
  if (times.empty()) return {};
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return std::chrono::milliseconds(*middle);
}

base::Status PipelineRun::time_imports(Pool& pool, const WorkerHost& host,
                                       const process::Environment& environment) {
  // Each worker imports once, so that few datums gain little; and timing takes as long as one of them.
  constexpr std::size_t k_least_per_worker = 2;
  const auto workers = static_cast<std::size_t>(m_session.slots.count());
  if (m_missing.size() != m_unselected || m_work.size() <= k_least_per_worker * workers ||
      m_spec.transform.datum_batching)
    return {};
  const auto imports = imports_of(m_artifact.record, environment);
  auto& timed = m_run->record().timed_imports;
  if (!imports || timed == imports->identity) return {};
  const auto datum = usual_time();
  if (!may_gain_from_preloading(datum)) return {};
  timed = imports->identity;
  Task task = make_task(m_work.front(), host, environment);
  task.command = own_command(imports->command);
  task.standard_input.clear();
  task.error_command.clear();
  task.accepted_codes.clear();
  task.log.clear();
  task.tries = 1;
  constexpr std::int64_t k_longest_ms = 10'000;
  task.timeout_ms = k_longest_ms;
  std::string printed;
  const auto outcome = pool.run_one(
      std::move(task), m_session.interruption.descriptor(), [&](std::string_view text) { printed += text; },
      [](const std::string&) {});
  // The run does not depend on it.
  if (outcome && outcome->result == TaskResult::succeeded) m_hint = preloading_hint(*imports, printed, datum);
  return base::check_stop();
}

base::Status PipelineRun::take(Collector& collector, const Task& task, const TaskOutcome& outcome,
                               std::optional<Slots::Slot> slot) {
  record_of(task).milliseconds = outcome.duration_ns / 1'000'000;
  struct stat log{};
  if (::lstat(task.log.c_str(), &log) == 0) {
    record_of(task).printed = log.st_size > 0;
    m_session.store.count_beside(static_cast<std::uint64_t>(log.st_blocks) * 512);
  }
  if (outcome.log_errno != 0 && !std::exchange(m_told_of_logs, true)) {
    const auto error = base::system_error("write", task.log, outcome.log_errno);
    tell(Warned{base::without_hint(error) + "; logs of datums are incomplete"});
  }
  const auto changed = changed_input(m_datums.at(work_of(task).index));
  if (!changed.empty()) {
    // Nobody can say which content the program has seen.
    tell_failure(task, changed + " changed while the datum ran");
    return {};
  }
  if (outcome.error) {
    // What the program did wrong fails its datum; what the machine does, the run.
    if (outcome.error->kind != ErrorKind::step_failed) return base::fail(*outcome.error);
    tell_failure(task, base::without_hint(*outcome.error));
    return {};
  }
  if (!outcome.stranger.empty()) m_strangers[task.id] = outcome.stranger;
  // Without one it was not the program that failed.
  const auto exit_code = outcome.exit_code == 0 ? std::nullopt : std::optional(outcome.exit_code);
  switch (outcome.result) {
    case TaskResult::succeeded:
      collector.add(task, work_of(task).key,
                    outcome.left_processes ? Collector::Openers::maybe : Collector::Openers::none,
                    std::move(slot));
      break;
    case TaskResult::recovered:
      ++m_recovered;
      tell_end(task, DatumState::recovered);
      break;
    case TaskResult::failed:
      tell_failure(task, outcome.reason, exit_code);
      break;
    case TaskResult::never_asked:
      // Nor would it for another datum. On a cluster the job would start again and again.
      tell_failure(task, outcome.reason, exit_code);
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
      tell_end(task, DatumState::succeeded, *files);
      m_outputs.push_back({record_of(task).label, std::move(*files)});
    } else if (files.error().kind == ErrorKind::step_failed && !m_session.interruption.signal()) {
      tell_failure(task, base::without_hint(files.error()));
    } else {
      return base::fail(std::move(files).error());
    }
    if (wait) break;
  }
  return {};
}

void PipelineRun::tell_end(const Task& task, DatumState state, const std::vector<ResultFile>& files) {
  auto& record = record_of(task);
  record.state = state == DatumState::succeeded ? LastState::succeeded : LastState::recovered;
  tell(DatumEnds{.datum = name_of(task),
                 .state = state,
                 .log = task.log,
                 .elapsed = std::chrono::milliseconds(record.milliseconds),
                 .files = files.size(),
                 .bytes = bytes_of(files)});
  if (state == DatumState::succeeded && files.empty()) tell_silence(task);
  m_strangers.erase(task.id);
}

// Each cause once: the other datums have it too.
void PipelineRun::tell_silence(const Task& task) {
  const auto stranger = m_strangers.find(task.id);
  const std::string what = "datum " + record_of(task).label + " wrote nothing to /pfs/out: ";
  if (stranger != m_strangers.end() && !std::exchange(m_told_of_stranger, true)) {
    const std::string made = std::string(contract::k_pfs) + "/" + stranger->second;
    tell(Warned{what + "it wrote " + made + ", which is lost; write to /pfs/out"});
  }
  if (stranger != m_strangers.end() || std::exchange(m_looked_into_silence, true)) return;
  if (const auto cause = explain_silence(m_spec, m_artifact.source)) tell(Warned{what + *cause});
}

void PipelineRun::tell_failure(const Task& task, const std::string& reason, std::optional<int> exit_code) {
  auto& record = record_of(task);
  record.state = LastState::failed;
  record.failure = reason;
  m_missing.push_back({record.label, reason + " (log: " + task.log + ")"});
  tell(DatumEnds{.datum = name_of(task),
                 .reason = reason,
                 .exit_code = exit_code,
                 .log = task.log,
                 .elapsed = std::chrono::milliseconds(record.milliseconds)});
}

// Between the exports there is so much more time than they take that the work does not suffer.
void PipelineRun::export_what_has_ended() {
  constexpr int k_pause = 20;
  constexpr std::chrono::seconds k_for_skipped{1};
  const auto start = Clock::now();
  if (!m_early.go_on || start < m_early.next) return;
  // Those of skipped datums are mostly there already: what is new comes first.
  const bool with_skipped = !m_early.has_skipped && start - m_early.begin > k_for_skipped;
  if (m_early.end == m_outputs.size() && !with_skipped) return;
  std::vector<DatumOutput> outputs;
  std::vector<DatumOutput> withdrawn;
  const auto conflicts = conflicts_of(m_outputs);
  for (std::size_t i = 0; i < m_outputs.size(); ++i) {
    if (conflicts.contains(i)) {
      withdrawn.push_back(m_outputs[i]);
    } else if (i >= m_early.end || (with_skipped && i < m_skipped)) {
      outputs.push_back(m_outputs[i]);
    }
  }
  // Whatever is in the way is told at the end.
  m_early.go_on = m_folder->check(outputs) &&
                  m_folder->add(outputs, withdrawn, std::nullopt, m_session.store, m_options.export_by);
  m_early.end = m_outputs.size();
  m_early.has_skipped = m_early.has_skipped || with_skipped;
  const auto end = Clock::now();
  m_early.next = end + (end - start) * k_pause;
}

// That all outputs can be exported. With --partial those in conflict are withdrawn at the end.
base::Status PipelineRun::check_outputs() const {
  if (!m_options.partial) {
    auto conflicts = conflicts_of(m_outputs);
    if (!conflicts.empty()) {
      auto& error = conflicts.begin()->second;
      if (m_folder) error.what += ", so the output folder was not changed";
      return base::fail(std::move(error));
    }
  }
  return m_folder ? m_folder->check(m_outputs) : base::Status{};
}

// Nobody can say whose file a path in conflict is: all its datums count as datums without output. Gives what
// they wrote.
std::vector<DatumOutput> PipelineRun::withdraw_conflicts() {
  auto conflicts = conflicts_of(m_outputs);
  std::vector<DatumOutput> withdrawn;
  std::vector<DatumOutput> kept;
  for (std::size_t i = 0; i < m_outputs.size(); ++i) {
    const auto conflict = conflicts.find(i);
    if (conflict != conflicts.end())
      m_missing.push_back({m_outputs[i].label, base::without_hint(conflict->second)});
    (conflict != conflicts.end() ? withdrawn : kept).push_back(std::move(m_outputs[i]));
  }
  m_outputs = std::move(kept);
  m_conflicting = withdrawn.size();
  if (!conflicts.empty()) {
    m_conflict = std::move(conflicts.begin()->second);
    m_conflict->what += ", so their output is left out";
    if (m_folder)
      m_conflict->hint +=
          "; " + (m_output / k_own_folder / "missing").string() + " lists the datums without output";
  }
  return withdrawn;
}

// Puts the result on the board first: those who read it need not wait until it has been exported.
base::Status PipelineRun::export_results() {
  // Datums end in any order; what is said of them does not depend on it.
  const auto by_label = [](const auto& a, const auto& b) { return a.label < b.label; };
  std::sort(m_outputs.begin(), m_outputs.end(), by_label);
  const bool is_whole = m_missing.size() == m_unselected;
  if (!is_whole && !m_options.partial) return {};
  const auto withdrawn = m_options.partial ? withdraw_conflicts() : std::vector<DatumOutput>();
  std::sort(m_missing.begin(), m_missing.end(), by_label);
  BASE_TRY(check_outputs());
  if (m_missing.empty() && !m_pipeline.read_as.empty()) {
    std::vector<Commit::File> files;
    for (const auto& output : m_outputs) {
      for (const auto& file : output.files) files.push_back({file.path, file.digest, file.size, {}});
    }
    for (const auto& name : m_pipeline.read_as) m_session.board.add_result(name, files);
  }
  if (!m_folder) return {};
  const auto meter = std::make_shared<Meter>();
  meter->all = bytes_of(m_outputs);
  return in_phase(
      [&](Event::What what) { tell(std::move(what)); }, Phase::exporting, "", meter,
      [&] {
        // Of datums that nobody has asked for, what was written before stays.
        return m_unselected > 0
                   ? m_folder->add(m_outputs, withdrawn, m_missing, m_session.store, m_options.export_by)
                   : m_folder->publish(m_outputs, m_missing, m_session.store, m_options.export_by);
      });
}

PipelineEnds PipelineRun::report(Clock::duration elapsed) const {
  const auto failed = m_missing.size() - m_unselected - m_conflicting;
  const bool exported = m_folder && (failed == 0 || m_options.partial);
  PipelineEnds report{.run = m_work.size() - failed,
                      .skipped = m_skipped,
                      .recovered = m_recovered,
                      .failed = failed,
                      .unselected = m_unselected,
                      .conflicting = m_conflicting,
                      .output = m_folder ? m_output.string() : "",
                      .exported = exported,
                      .partial = exported && !m_missing.empty(),
                      .bytes = bytes_of(m_outputs),
                      .elapsed = elapsed};
  for (const auto& output : m_outputs) report.files += output.files.size();
  return report;
}

}  // namespace local
