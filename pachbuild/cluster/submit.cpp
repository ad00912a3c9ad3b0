// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/submit.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/transaction.h"
#include "process/interruption.h"
#include "process/runner.h"
#include "process/secret_folder.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;
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

base::Status send_file(const Pachctl& pachctl, const std::string& file, Existing existing, bool reprocess) {
  const bool is_new = existing == Existing::refuse;
  std::vector<std::string> words = {is_new ? "create" : "update", "pipeline", "--file", file};
  if (reprocess && !is_new) words.emplace_back("--reprocess");
  BASE_TRY(pachctl.call(std::move(words)));
  return {};
}

base::Status send_spec(const Pachctl& pachctl, const json& spec, Existing existing, bool reprocess) {
  // A spec may have credentials in the address of an index.
  BASE_TRY_ASSIGN(const auto folder, process::SecretFolder::make(pachctl.scratch()));
  const fs::path file = folder.path() / "pipeline.json";
  constexpr mode_t k_private = 0600;
  BASE_TRY(base::write_file(file, spec.dump(), k_private));
  return send_file(pachctl, file.string(), existing, reprocess);
}

// Which of the two pipelines does again what it has done.
struct Again {
  bool build = false;
  bool running = false;
};

// Everything that is known before anything is changed.
struct Look {
  Present present;
  SourceBranches branches;
  StoredSource stored;
  Outcome outcome;
  Again again;
};

base::Status change_pipeline(const Pachctl& pachctl, const json& spec, Change change, bool reprocess) {
  if (change == Change::kept) return {};
  // `create` fails when somebody else has made the pipeline in the meantime.
  auto sent =
      send_spec(pachctl, spec, change == Change::made ? Existing::refuse : Existing::update, reprocess);
  if (!sent) sent.error().where = "pipeline " + spec.at("pipeline").at("name").get<std::string>();
  return sent;
}

// Everything from here on happens at once: new source, new build and new pipeline are never seen mixed with
// old ones, or with those of somebody else.
base::Status change_all(const Pachctl& pachctl, const Submission& submission, Look& look,
                        const std::optional<StagedSource>& source, const std::string& version) {
  BASE_TRY_ASSIGN(auto transaction, Transaction::start(pachctl));
  look.outcome.id = transaction.id();
  const Pachctl& inside = transaction.pachctl();
  const std::string repo = source_repo_of(submission.spec.name);
  BASE_TRY(delete_branches(inside, repo, look.branches.versions, BranchDeletion::must_exist));
  if (source) {
    BASE_TRY(inside.call({"create", "branch", repo + "@" + k_source_branch, "--head", source->commit}));
    BASE_TRY(delete_branches(inside, repo, {source->branch}, BranchDeletion::must_exist));
  }
  BASE_TRY(inside.call(
      {"create", "branch", repo + "@" + version, "--head", source ? source->commit : look.stored.commit}));
  BASE_TRY(change_pipeline(inside, *submission.build, look.outcome.build, look.again.build));
  BASE_TRY(change_pipeline(inside, *submission.running, look.outcome.running, look.again.running));
  return transaction.finish();
}

base::Status send_and_change(const Pachctl& pachctl, const Submission& submission, Look& look,
                             const std::string& version) {
  const std::string repo = source_repo_of(submission.spec.name);
  std::optional<StagedSource> source;
  if (!look.outcome.source.none()) {
    BASE_TRY_ASSIGN(source,
                    send_source(pachctl, repo, look.stored, look.outcome.source, submission.source.files));
  }
  auto changed = change_all(pachctl, submission, look, source, version);
  if (!changed && source) (void)delete_branches(pachctl, repo, {source->branch}, BranchDeletion::force);
  return changed;
}

// Best effort: the error that led here is what counts. Only a repo with the mark is deleted, since another
// one may have got the name in the meantime, and PFS deletes none that a pipeline reads.
void take_back_repo(const Pachctl& pachctl, const std::string& pipeline) {
  const std::string repo = source_repo_of(pipeline);
  const auto repos = read_repos(pachctl);
  if (!repos) return;
  const auto found = repos->find(repo);
  if (found != repos->end() && found->second == source_mark(pipeline))
    (void)pachctl.call({"delete", "repo", repo});
}

base::Status make_repo(const Pachctl& pachctl, const std::string& pipeline) {
  BASE_TRY(
      pachctl.call({"create", "repo", source_repo_of(pipeline), "--description", source_mark(pipeline)}));
  return {};
}

base::Status change_or_take_back(const Pachctl& pachctl, const Submission& submission, Look& look,
                                 const std::string& version) {
  if (!look.outcome.made_source) return send_and_change(pachctl, submission, look, version);
  // When this fails, the repo can be that of somebody who made it just now, and has begun to fill it.
  BASE_TRY(make_repo(pachctl, submission.spec.name));
  auto done = send_and_change(pachctl, submission, look, version);
  if (!done) take_back_repo(pachctl, submission.spec.name);
  return done;
}

base::Error is_there(const std::string& where, const std::string& pipeline) {
  return {ErrorKind::bad_input, where, "pipeline \"" + pipeline + "\" already exists",
          "change it with: pachbuild update pipeline"};
}

// What is read first is what tells of a change: the version stands for all that is read after it.
base::Result<Look> look_once(const Pachctl& pachctl, const Submission& submission, Existing existing,
                             Reprocess reprocess) {
  const auto& name = submission.spec.name;
  const auto where = submission.spec.places.where("/pipeline/name");
  const std::string repo = source_repo_of(name);
  const bool everything = reprocess == Reprocess::everything;
  Look look;
  BASE_TRY_ASSIGN(look.present.repos, read_repos(pachctl));
  Outcome& outcome = look.outcome;
  outcome.made_source = !look.present.repos.contains(repo);
  if (!outcome.made_source) {
    BASE_TRY_ASSIGN(look.branches, read_branches(pachctl, repo));
  }
  BASE_TRY_ASSIGN(look.present.pipelines, read_pipelines(pachctl));
  if (existing == Existing::refuse && look.present.pipelines.contains(name)) {
    return base::fail(is_there(where, name));
  }
  BASE_TRY(check_ownership(look.present, name, look.branches.is_own, where));
  BASE_TRY(check_convertible(look.present, name, where));
  if (is_build(look.present, name) && look.branches.head.empty()) {
    // It was made after the branches were read.
    return base::fail(ErrorKind::network, "pipeline " + name, "was just changed by someone else",
                      "try again");
  }
  if (look.branches.is_deleting) {
    return base::fail(ErrorKind::unavailable, "pipeline " + name, "is being deleted",
                      "if that deletion was interrupted, run pachbuild delete pipeline " + name);
  }
  BASE_TRY_ASSIGN(look.stored, read_files(pachctl, repo, look.branches));
  BASE_TRY_ASSIGN(outcome.source, compare(look.stored, submission.source.files));
  if (!look.stored.commit.empty() && !look.branches.is_own && !outcome.source.none()) {
    return base::fail(ErrorKind::bad_input, repo + "@" + k_source_branch,
                      "the newest commit, " + look.stored.commit + ", was not made by pachbuild",
                      "save its files, then move the branch back to a commit before it, or delete it: "
                      "pachctl create branch " +
                          repo + "@" + k_source_branch + " --head COMMIT");
  }
  outcome.build = change_of(look.present, *submission.build);
  outcome.running = change_of(look.present, *submission.running);
  if (everything && outcome.build == Change::kept) outcome.build = Change::updated;
  if (everything && outcome.running == Change::kept) outcome.running = Change::updated;
  look.again = {.build = everything || builds_otherwise(look.present, *submission.build),
                .running = everything};
  return look;
}

// A cluster that changes between two questions can look as if names were somebody else's: only what is found
// twice is an error.
base::Result<Look> look_at(const Pachctl& pachctl, const Submission& submission, Existing existing,
                           Reprocess reprocess) {
  auto look = look_once(pachctl, submission, existing, reprocess);
  return look ? look : look_once(pachctl, submission, existing, reprocess);
}

// Ctrl-C takes back what is half done, and then ends this program.
base::Status change_watched(const Pachctl& pachctl, const Submission& submission, Look& look,
                            const std::string& version) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  process::SystemRunner runner(&interruption);
  auto done = change_or_take_back(pachctl.with_runner(runner), submission, look, version);
  std::move(interruption).pass_on();
  return done;
}

// What updates that were killed have left. An upload that was there before this change began with a version
// that is gone now: even if it still runs, it can only be begun anew.
void clear_away_overtaken(const Pachctl& pachctl, const std::string& repo, const SourceBranches& before) {
  if (before.uploads.empty()) return;
  for (const auto& upload : before.uploads) {
    (void)delete_branches(pachctl, repo, {upload}, BranchDeletion::force);
  }
  delete_transactions(pachctl, before.versions);
}

enum class Attempt { done, failed, overtaken };

// What has become of an attempt that ended with an error. Its answer may be all that was lost.
Attempt result_of(const Pachctl& pachctl, const std::string& pipeline, const Look& look,
                  const std::string& version) {
  const std::string repo = source_repo_of(pipeline);
  const auto repos = read_repos(pachctl);
  if (!repos) return Attempt::failed;
  if (!repos->contains(repo)) return look.outcome.made_source ? Attempt::failed : Attempt::overtaken;
  const auto branches = read_branches(pachctl, repo);
  if (!branches) return Attempt::failed;
  const auto& versions = branches->versions;
  if (std::find(versions.begin(), versions.end(), version) != versions.end()) return Attempt::done;
  const bool is_other = look.outcome.made_source || versions != look.branches.versions;
  if (is_other || branches->is_deleting) return Attempt::overtaken;
  const auto pipelines = read_pipelines(pachctl);
  if (!pipelines) return Attempt::failed;
  const std::string build = build_pipeline_of(pipeline);
  return pipelines->contains(build) == look.present.pipelines.contains(build) ? Attempt::failed
                                                                              : Attempt::overtaken;
}

}  // namespace

base::Result<Submission> prepare(const spec::PipelineSpec& spec, const SubmissionRules& rules) {
  BASE_TRY_ASSIGN(auto source, source::read_source(spec.transform.build.folder, rules.largest_file,
                                                   spec.transform.build.data));
  BASE_TRY_ASSIGN(auto warning, source::add_revision(spec.transform.build.folder, source));
  const bool is_lazy = !spec.transform.build.language.empty() && !source::has_own_script(source.files);
  auto build = build_pipeline(spec, rules.image_prefix);
  auto running = running_pipeline(spec, rules.image_prefix, is_lazy ? BuildFiles::lazy : BuildFiles::whole);
  return Submission{spec, std::move(source), std::make_shared<const json>(std::move(build)),
                    std::make_shared<const json>(std::move(running)), std::move(warning)};
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
  auto sent = send_file(pachctl, url, existing, reprocess == Reprocess::everything);
  if (!sent) sent.error().hint = "with transform.build, save the spec next to the source that it builds";
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
  BASE_TRY(look_at(pachctl, submission, existing, Reprocess::changed));
  return {};
}

base::Result<Outcome> submit(const Pachctl& pachctl, const Submission& submission, Existing existing,
                             Reprocess reprocess, const SubmissionEvents& events) {
  const auto& name = submission.spec.name;
  const std::string repo = source_repo_of(name);
  constexpr int k_attempts = 5;
  for (int attempt = 1; attempt <= k_attempts; ++attempt) {
    BASE_TRY_ASSIGN(Look look, look_at(pachctl, submission, existing, reprocess));
    // Somebody else may be at it as well; what stays goes with the next update.
    (void)delete_branches(pachctl, repo, look.branches.leftovers, BranchDeletion::force);
    if (look.outcome.none()) return look.outcome;
    if (look.branches.versions.empty() && look.outcome.build != Change::made) {
      // An older program has made it. The version is there before all is looked at again.
      BASE_TRY(pachctl.call({"create", "branch", repo + "@" + new_version(), "--head", look.stored.commit}));
      continue;
    }
    if (!look.outcome.source.none()) events.sending(look.outcome.source);
    const std::string version = new_version();
    auto done = change_watched(pachctl, submission, look, version);
    switch (done ? Attempt::done : result_of(pachctl, name, look, version)) {
      case Attempt::done:
        clear_away_overtaken(pachctl, repo, look.branches);
        return look.outcome;
      case Attempt::failed:
        return base::fail(std::move(done).error());
      case Attempt::overtaken:
        events.repeating();
    }
  }
  return base::fail(ErrorKind::network, "pipeline " + name,
                    "was changed by someone else during each attempt to update it", "try again later");
}

}  // namespace cluster
