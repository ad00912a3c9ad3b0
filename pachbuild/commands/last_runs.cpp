// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/last_runs.h"

#include <ctime>
#include <unordered_map>

#include "base/text.h"
#include "base/time_text.h"
#include "pachbuild/local/plan/datum_list.h"
#include "pachbuild/local/plan/selection.h"
#include "pachbuild/local/session/environment.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;

base::Error has_not_run(const std::vector<spec::PipelineSpec>& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  return {ErrorKind::bad_input, specs.front().places.file(),
          std::string("no run of ") + (names.size() == 1 ? "pipeline " : "pipelines ") +
              base::join(names, ", ", " and ") + " is recorded on this machine",
          "run it with pachbuild run; the cache remembers the last run"};
}

std::string text_of(const std::string& pipeline, const local::EarlyEnd& end) {
  return "the last run of pipeline " + pipeline + " (" + local_time(end.time) +
         ") ended before any datum ran: " + end.why;
}

}  // namespace

base::Result<std::vector<KnownRun>> known_runs(const SpecFiles& files, const std::string& pipeline) {
  BASE_TRY_ASSIGN(auto specs, files.load());
  if (!pipeline.empty()) {
    BASE_TRY_ASSIGN(const auto place, local::find_pipeline(specs, pipeline));
    specs = {std::move(specs[place])};
  }
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  std::vector<KnownRun> runs;
  std::vector<std::string> early_ends;
  for (const auto& spec : specs) {
    BASE_TRY_ASSIGN(auto last, local::LastRun::of(cache, spec.places.file(), spec.name));
    auto record = last.load();
    if (const auto end = last.early_end()) {
      early_ends.push_back(
          text_of(spec.name, *end) +
          (record ? "; showing the run of " + local_time(record->started) : "; no earlier run is recorded"));
    }
    if (record) runs.push_back({spec, std::move(last), std::move(*record)});
  }
  if (runs.empty() && early_ends.empty()) return base::fail(has_not_run(specs));
  if (runs.empty()) {
    return base::fail(ErrorKind::bad_input, specs.front().places.file(), base::join(early_ends, "; "),
                      "correct this, then run it again: pachbuild run");
  }
  for (const auto& text : early_ends) report::warn(text);
  return runs;
}

base::Status check_one_run(const std::vector<KnownRun>& runs, const std::string& option) {
  if (runs.size() < 2) return {};
  return base::fail(ErrorKind::usage, option, "applies to one pipeline, but there are several",
                    "add --pipeline NAME");
}

base::Result<std::vector<std::size_t>> select(const KnownRun& run, const std::vector<std::string>& names) {
  const auto changed = [&] {
    return base::fail(ErrorKind::bad_input, run.spec.places.where("/input"),
                      "the input has changed since the last run", "run the pipeline again");
  };
  // The datums as they were then, so that --datum means here what it means everywhere.
  std::map<std::string, local::Commit> commits;
  for (const auto& [name, listed] : run.record.repos) {
    std::vector<local::Commit::File> files;
    for (const auto& [path, digest] : listed) files.push_back({.path = path, .digest = digest});
    commits[name] = local::commit_of_files(std::move(files));
    if (const auto folder = run.record.folders.find(name); folder != run.record.folders.end()) {
      commits[name].folder = folder->second;
      commits[name].is_ours = false;
    }
  }
  local::Commits all;
  for (const auto& [name, commit] : commits) all[name] = &commit;
  for (const auto* input : spec::repo_inputs(run.spec.input)) {
    if (!all.contains(local::repo_key(*input))) return changed();
  }
  BASE_TRY_ASSIGN(const auto datums, local::DatumList::make(run.spec.input, all));
  BASE_TRY_ASSIGN(const auto places, local::select_datums(datums, run.spec.input, all, names));
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < run.record.datums.size(); ++i) known.emplace(run.record.datums[i].id, i);
  std::vector<std::size_t> found;
  for (const auto place : places) {
    const auto datum = known.find(datums.at(place).id);
    if (datum == known.end()) return changed();
    found.push_back(datum->second);
  }
  return found;
}

std::string end_of(const local::RunRecord::Datum& datum) {
  using local::LastState;
  const auto took = ", " + base::format_duration(std::chrono::milliseconds(datum.milliseconds));
  switch (datum.state) {
    case LastState::succeeded:
      return "succeeded" + took;
    case LastState::recovered:
      return "recovered by err_cmd" + took;
    case LastState::failed:
      return "failed: " + datum.failure + took;
    case LastState::skipped:
      return "skipped; its result is in the cache";
    case LastState::not_run:
      break;
  }
  return "has not ended";
}

std::string local_time(std::int64_t seconds) {
  return base::time_text(seconds, "%Y-%m-%d %H:%M:%S", base::Zone::local).value_or(std::to_string(seconds));
}

}  // namespace commands
