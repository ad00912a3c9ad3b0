// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/submit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/side_by_side.h"
#include "pachbuild/cluster/transaction.h"
#include "process/interruption.h"
#include "process/shared_runner.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;
using Change = Outcome::Change;

Change change_of(const Present& present, const json& spec) {
  const auto pipeline = present.pipelines.find(spec.at("pipeline").at("name"));
  if (pipeline == present.pipelines.end()) return Change::made;
  return *pipeline->second.spec == comparable(spec) ? Change::kept : Change::updated;
}

// Whether what builds has changed: what it has built then counts no more.
bool builds_otherwise(const Present& present, const json& spec) {
  const auto pipeline = present.pipelines.find(spec.at("pipeline").at("name"));
  return pipeline != present.pipelines.end() &&
         pipeline->second.spec->value("transform", json()) != spec.at("transform");
}

// Which of the two pipelines processes its datums again.
struct Reprocessing {
  bool build = false;
  bool running = false;
};

// Everything that is known before anything is changed.
struct Assessment {
  Present present;
  SourceBranches branches;
  StoredSource stored;
  Outcome outcome;
  Reprocessing reprocessing;
};

void add_change(std::vector<PipelineChange>& changes, const std::shared_ptr<const json>& spec, Change change,
                bool reprocess) {
  if (change == Change::kept) return;
  changes.push_back({spec, change == Change::made ? Existing::refuse : Existing::update, reprocess});
}

PlannedChange plan_change(const Submission& submission, const Assessment& assessment) {
  PlannedChange change{.repo = source_repo_of(submission.spec.name),
                       .branches = assessment.branches,
                       .stored = assessment.stored,
                       .source = assessment.outcome.source,
                       .files = submission.source.files,
                       .copy = submission.copy,
                       .build_repo = assessment.outcome.sends_build_source
                                         ? build_source_repo_of(submission.spec.name)
                                         : std::string(),
                       .pipelines = {},
                       .version = new_version(submission.inputs)};
  add_change(change.pipelines, submission.build, assessment.outcome.build, assessment.reprocessing.build);
  add_change(change.pipelines, submission.running, assessment.outcome.running,
             assessment.reprocessing.running);
  return change;
}

struct NewRepo {
  std::string name;
  std::string mark;
};

std::vector<NewRepo> new_repos(const std::string& pipeline, const Outcome& outcome) {
  std::vector<NewRepo> repos;
  if (outcome.made_source) repos.push_back({source_repo_of(pipeline), source_mark(pipeline)});
  if (outcome.made_build_source)
    repos.push_back({build_source_repo_of(pipeline), build_source_mark(pipeline)});
  return repos;
}

// Best effort: the error that led here is what counts. Only a repo with the mark is deleted, since another
// one may have got the name in the meantime, and PFS deletes none that a pipeline reads.
void take_back_repos(const Pachctl& pachctl, const std::vector<NewRepo>& made) {
  if (made.empty()) return;
  const auto repos = read_repos(pachctl);
  if (!repos) return;
  for (const auto& repo : made) {
    const auto found = repos->find(repo.name);
    if (found != repos->end() && found->second == repo.mark)
      (void)pachctl.call({"delete", "repo", repo.name});
  }
}

Made change_or_take_back(const Pachctl& pachctl, const PlannedChange& change,
                         const std::vector<NewRepo>& repos) {
  std::vector<NewRepo> made_repos;
  Made made;
  for (const auto& repo : repos) {
    // When this fails, the repo can be that of somebody who made it just now, and has begun to fill it.
    made.status = pachctl.run({"create", "repo", repo.name, "--description", repo.mark});
    if (!made.status) break;
    made_repos.push_back(repo);
  }
  if (made.status) made = make_change(pachctl, change);
  if (!made.status) take_back_repos(pachctl, made_repos);
  return made;
}

// Whether the newest job of the build pipeline ended without an artifact. The next edit then builds again, as
// every edit does in other languages.
bool has_failed(const Present& present, const std::string& build) {
  const auto found = present.pipelines.find(build);
  if (found == present.pipelines.end()) return false;
  const auto& state = found->second.last_job;
  return state == "JOB_FAILURE" || state == "JOB_KILLED" || state == "JOB_UNRUNNABLE";
}

bool sends_build_source(const Submission& submission, const Assessment& assessment) {
  const auto& name = submission.spec.name;
  if (submission.build_source == BuildSource::shared) return false;
  return submission.inputs.empty() || assessment.outcome.made_build_source ||
         !reads_build_source(assessment.present, name) ||
         !has_inputs(assessment.branches, submission.inputs) ||
         (!assessment.outcome.source.none() && has_failed(assessment.present, build_pipeline_of(name)));
}

base::Error is_there(const std::string& where, const std::string& pipeline) {
  return {ErrorKind::bad_input, where, "pipeline \"" + pipeline + "\" already exists",
          "change it with: pachbuild update pipeline"};
}

// The answers of the cluster as they came. What was found out first is the fault that is told, hence not all
// errors are told at once.
struct Answers {
  base::Status pipelines;
  base::Status head;
  base::Result<StoredSource> files;
};

// The version stands for all that is read after it, hence all that a change may change is asked when it is
// there: the change fails when it is not as it was read. The repos are only looked at for whose they are.
base::Result<Answers> ask(const Pachctl& pachctl, const std::string& repo, Assessment& assessment) {
  SideBySide first;
  base::Result<SourceBranches> branches;
  first.add(pachctl, [&](const Pachctl& own) { return assign(assessment.present.repos, read_repos(own)); });
  first.add(pachctl, [&](const Pachctl& own) -> base::Status {
    branches = list_branches(own, repo);  // it fails when there is no repo yet
    return {};
  });
  BASE_TRY(first.run());
  assessment.outcome.made_source = !assessment.present.repos.contains(repo);
  if (!assessment.outcome.made_source) {
    BASE_TRY_ASSIGN(assessment.branches, std::move(branches));
  }
  Answers answers;
  SideBySide second;
  if (!assessment.branches.head.empty()) {
    second.add(pachctl, [&](const Pachctl& own) -> base::Status {
      answers.head = read_head(own, repo, assessment.branches);
      return {};
    });
  }
  second.add(pachctl, [&](const Pachctl& own) -> base::Status {
    answers.pipelines = assign(assessment.present.pipelines, read_pipelines(own));
    return {};
  });
  if (!assessment.branches.head.empty()) {
    second.add(pachctl, [&](const Pachctl& own) -> base::Status {
      answers.files = list_files(own, repo, assessment.branches.head);
      return {};
    });
  }
  BASE_TRY(second.run());
  return answers;
}

base::Result<Assessment> assess_once(const Pachctl& pachctl, const Submission& submission, Existing existing,
                                     Reprocess reprocess) {
  const auto& name = submission.spec.name;
  const auto where = submission.spec.places.where("/pipeline/name");
  const std::string repo = source_repo_of(name);
  const bool everything = reprocess == Reprocess::everything;
  Assessment assessment;
  BASE_TRY_ASSIGN(auto answers, ask(pachctl, repo, assessment));
  Outcome& outcome = assessment.outcome;
  BASE_TRY(answers.head);
  BASE_TRY(answers.pipelines);
  if (existing == Existing::refuse && assessment.present.pipelines.contains(name)) {
    return base::fail(is_there(where, name));
  }
  BASE_TRY(check_convertible(assessment.present, name, where));
  BASE_TRY(check_ownership(assessment.present, name, assessment.branches.is_own, where));
  const bool has_own_build_source = submission.build_source == BuildSource::own;
  if (has_own_build_source) BASE_TRY(check_build_source(assessment.present, name, where));
  if (is_build(assessment.present, name) && assessment.branches.head.empty()) {
    // It was made after the branches were read.
    return base::fail(ErrorKind::network, "pipeline " + name, "was just changed by someone else",
                      "try again");
  }
  if (assessment.branches.is_deleting) {
    return base::fail(ErrorKind::unavailable, "pipeline " + name, "is being deleted",
                      "if that deletion was interrupted, run pachbuild delete pipeline " + name);
  }
  BASE_TRY(check_finished(repo, assessment.branches));
  BASE_TRY_ASSIGN(assessment.stored, std::move(answers.files));
  add_digests(assessment.stored, assessment.branches);
  BASE_TRY_ASSIGN(outcome.source, compare(assessment.stored, submission.source.files));
  if (!assessment.stored.commit.empty() && !assessment.branches.is_own && !outcome.source.none()) {
    return base::fail(ErrorKind::bad_input, repo + "@" + k_source_branch,
                      "the newest commit, " + assessment.stored.commit + ", was not made by pachbuild",
                      "save its files, then delete that commit, or move the branch back to an earlier one: "
                      "pachctl create branch " +
                          repo + "@" + k_source_branch + " --head COMMIT");
  }
  outcome.made_build_source =
      has_own_build_source && !assessment.present.repos.contains(build_source_repo_of(name));
  outcome.sends_build_source = sends_build_source(submission, assessment);
  outcome.build = change_of(assessment.present, *submission.build);
  outcome.running = change_of(assessment.present, *submission.running);
  if (everything && outcome.build == Change::kept) outcome.build = Change::updated;
  if (everything && outcome.running == Change::kept) outcome.running = Change::updated;
  assessment.reprocessing = {.build = everything || builds_otherwise(assessment.present, *submission.build),
                             .running = everything};
  return assessment;
}

// While someone else changes the cluster, two answers may contradict each other, and names seem to be theirs.
// Only an error that is found twice is reported.
base::Result<Assessment> assess(const Pachctl& pachctl, const Submission& submission, Existing existing,
                                Reprocess reprocess) {
  auto assessment = assess_once(pachctl, submission, existing, reprocess);
  return assessment ? assessment : assess_once(pachctl, submission, existing, reprocess);
}

// Ctrl-C takes back what is half done, and then ends this program.
base::Result<Made> change_watched(const Pachctl& pachctl, const PlannedChange& change,
                                  const std::vector<NewRepo>& repos) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  process::SharedRunner runner(&interruption);
  auto made = change_or_take_back(pachctl.with_runner(runner), change, repos);
  std::move(interruption).pass_on();
  return made;
}

// What updates that were killed have left. What was there before this change began with a version that is
// gone now: even if it still runs, it can only be begun anew.
void clear_away_overtaken(const Pachctl& pachctl, const PlannedChange& change) {
  const auto& before = change.branches;
  SideBySide calls;
  const auto add = [&](const std::string& repo, const std::string& branch) {
    calls.add(pachctl, [repo, branch](const Pachctl& own) -> base::Status {
      (void)delete_branches(own, repo, {branch}, BranchDeletion::force);
      return {};
    });
  };
  for (const auto& upload : before.uploads) add(change.repo, upload);
  if (!before.uploads.empty() || before.versions.size() > 1) {
    calls.add(pachctl, [&](const Pachctl& own) -> base::Status {
      delete_transactions(own, before.versions);
      return {};
    });
  }
  // Each transaction deletes its own version there; versions that remain are of failed attempts.
  base::Result<SourceBranches> unused;
  if (!change.build_repo.empty()) unused = list_branches(pachctl, change.build_repo);
  if (unused) {
    for (const auto& version : unused->versions) add(change.build_repo, version);
  }
  (void)calls.run();
}

enum class Attempt { done, failed, overtaken };

// What has become of an attempt that ended with an error. Its answer may be all that was lost.
Attempt result_of(const Pachctl& pachctl, const std::string& pipeline, const Assessment& assessment,
                  const PlannedChange& change) {
  const auto repos = read_repos(pachctl);
  if (!repos) return Attempt::failed;
  // Someone deleted the repo that this change had created.
  const bool is_made =
      assessment.outcome.made_build_source && repos->contains(build_source_repo_of(pipeline));
  if (!repos->contains(change.repo))
    return assessment.outcome.made_source && !is_made ? Attempt::failed : Attempt::overtaken;
  const auto branches = list_branches(pachctl, change.repo);
  if (!branches) return Attempt::failed;
  if (was_made(change, *branches)) return Attempt::done;
  // One more is of somebody who has begun.
  const auto& before = assessment.branches.versions;
  const bool has_all = std::all_of(before.begin(), before.end(),
                                   [&](const auto& version) { return branches->heads.contains(version); });
  const bool is_first = before.empty() && !branches->versions.empty();
  const bool is_other = assessment.outcome.made_source || !has_all || is_first || is_made;
  if (is_other || branches->is_deleting) return Attempt::overtaken;
  const auto pipelines = read_pipelines(pachctl);
  if (!pipelines) return Attempt::failed;
  const std::string build = build_pipeline_of(pipeline);
  return pipelines->contains(build) == assessment.present.pipelines.contains(build) ? Attempt::failed
                                                                                    : Attempt::overtaken;
}

}  // namespace

base::Result<Submission> prepare(const spec::PipelineSpec& spec, const SubmissionRules& rules) {
  BASE_TRY_ASSIGN(auto source, source::read_source(spec.transform.build.folder, rules.largest_file,
                                                   spec.transform.build.data));
  BASE_TRY_ASSIGN(auto warning, source::add_revision(spec.transform.build.folder, source));
  const bool has_own_script = source::has_own_script(source.files);
  const bool is_lazy = !spec.transform.build.language.empty() && !has_own_script;
  const auto build_source = build_source_of(spec, has_own_script);
  auto build = build_pipeline(spec, rules.image_prefix, build_source);
  auto running = running_pipeline(spec, rules.image_prefix, is_lazy ? BuildFiles::lazy : BuildFiles::whole);
  return Submission{.spec = spec,
                    .source = std::move(source),
                    .build = std::make_shared<const json>(std::move(build)),
                    .running = std::make_shared<const json>(std::move(running)),
                    .warning = std::move(warning),
                    .build_source = build_source,
                    .inputs = "",
                    .copy = {},
                    .workspace = nullptr};
}

base::Status pass_on(const Pachctl& pachctl, const json& spec, Existing existing, Reprocess reprocess) {
  return send_spec(pachctl, spec, existing, reprocess == Reprocess::everything);
}

base::Status check_passed_on(const Pachctl& pachctl, const spec::ClusterPipeline& pipeline,
                             Existing existing) {
  const auto where = pipeline.document.places.where("/pipeline/name");
  const json& fields = *pipeline.document.value;
  const json::json_pointer pointer("/pipeline/project/name");
  const bool is_named = fields.contains(pointer) && fields.at(pointer).is_string();
  Present present;
  BASE_TRY_ASSIGN(present.pipelines,
                  read_pipelines(is_named ? pachctl.with_project(fields.at(pointer)) : pachctl));
  if (existing == Existing::refuse && present.pipelines.contains(pipeline.name))
    return base::fail(is_there(where, pipeline.name));
  return check_convertible(present, pipeline.name, where);
}

base::Status pass_on_url(const Pachctl& pachctl, const std::string& url, Existing existing,
                         Reprocess reprocess) {
  auto sent = send_spec_file(pachctl, url, existing, reprocess == Reprocess::everything);
  if (!sent)
    sent.error().hint =
        "a spec with transform.build cannot be read from a URL; save it next to the source that it builds";
  return sent;
}

base::Result<Pachctl> pachctl_for(const Pachctl& pachctl, const spec::PipelineSpec& spec) {
  if (spec.project.empty() || spec.project == pachctl.project()) return pachctl;
  if (pachctl.project().empty()) return pachctl.with_project(spec.project);
  return base::fail(ErrorKind::usage, spec.places.where("/pipeline/project/name"),
                    "the pipeline belongs to project \"" + spec.project + "\", but --project is \"" +
                        pachctl.project() + "\"",
                    "use only one of the two");
}

base::Status check(const Pachctl& pachctl, const Submission& submission, Existing existing) {
  BASE_TRY(assess(pachctl, submission, existing, Reprocess::changed));
  return {};
}

base::Result<Outcome> submit(const Pachctl& pachctl, const Submission& submission, Existing existing,
                             Reprocess reprocess, const SubmissionEvents& events) {
  const auto& name = submission.spec.name;
  const std::string repo = source_repo_of(name);
  constexpr int k_attempts = 5;
  for (int attempt = 1; attempt <= k_attempts; ++attempt) {
    BASE_TRY_ASSIGN(Assessment assessment, assess(pachctl, submission, existing, reprocess));
    // Somebody else may be at it as well; what stays goes with the next update.
    (void)delete_branches(pachctl, repo, assessment.branches.leftovers, BranchDeletion::force);
    if (assessment.outcome.none()) return assessment.outcome;
    if (assessment.branches.versions.empty() && assessment.outcome.build != Change::made) {
      // An older program has made it. The version exists before everything is read again.
      BASE_TRY(
          pachctl.call({"create", "branch", repo + "@" + new_version(), "--head", assessment.stored.commit}));
      continue;
    }
    if (!assessment.outcome.source.none()) events.sending(assessment.outcome.source);
    const auto change = plan_change(submission, assessment);
    auto made = change_watched(pachctl, change, new_repos(name, assessment.outcome));
    base::Status status;
    if (made) {
      assessment.outcome.id = made->id;
      status = std::move(made->status);
    } else {
      status = base::fail(std::move(made).error());
    }
    switch (status ? Attempt::done : result_of(pachctl, name, assessment, change)) {
      case Attempt::done:
        clear_away_overtaken(pachctl, change);
        return assessment.outcome;
      case Attempt::failed:
        return base::fail(std::move(status).error());
      case Attempt::overtaken:
        events.repeating();
    }
  }
  return base::fail(ErrorKind::network, "pipeline " + name,
                    "was changed by someone else during each attempt to update it", "try again later");
}

}  // namespace cluster
