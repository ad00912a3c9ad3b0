// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/submit.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "contract/layout.h"
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

// That the names which belong to the pipeline are not somebody else's.
base::Status check_names(const Present& present, const Submission& submission, Existing existing) {
  const auto& spec = submission.spec;
  const auto where = spec.places.where("/pipeline/name");
  const std::string repo = source_repo_of(spec.name);
  const std::string build = build_pipeline_of(spec.name);
  const std::string hint = "give one of the two another name";
  if (existing == Existing::refuse && present.pipelines.contains(spec.name)) {
    return base::fail(ErrorKind::bad_input, where, "pipeline \"" + spec.name + "\" is there already",
                      "pachbuild update pipeline changes it");
  }
  if (present.pipelines.contains(repo)) {
    return base::fail(ErrorKind::bad_input, where,
                      "the source needs repo \"" + repo + "\", which is the output of a pipeline", hint);
  }
  if (!present.pipelines.contains(build) && present.repos.contains(build)) {
    return base::fail(ErrorKind::bad_input, where,
                      "the build needs pipeline \"" + build + "\", and a repo has that name", hint);
  }
  if (present.pipelines.contains(build) && !present.has_build_of(spec.name)) {
    return base::fail(ErrorKind::bad_input, where,
                      "pipeline \"" + build + "\" is there, and is not the build of \"" + spec.name + "\"",
                      hint);
  }
  return {};
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

base::Status change_pipeline(const Pachctl& pachctl, const json& spec, bool reprocess) {
  auto sent = send_spec(pachctl, spec, Existing::update, reprocess);
  if (!sent) sent.error().where = "pipeline " + spec.at("pipeline").at("name").get<std::string>();
  return sent;
}

// Which of the two pipelines does again what it has done.
struct Again {
  bool build;
  bool running;
};

// Everything from here on happens at once: new source, new build and new pipeline are never seen mixed with
// old ones.
base::Status change_all(const Pachctl& pachctl, const Submission& submission, const Outcome& outcome,
                        const std::optional<StagedSource>& source, const Again& again) {
  BASE_TRY_ASSIGN(auto transaction, Transaction::start(pachctl));
  const Pachctl& inside = transaction.pachctl();
  const std::string repo = source_repo_of(submission.spec.name);
  if (source) {
    BASE_TRY(inside.call({"create", "branch", repo + "@" + k_source_branch, "--head", source->commit}));
    BASE_TRY(inside.call({"delete", "branch", repo + "@" + source->branch}));
  }
  if (outcome.build != Change::kept) BASE_TRY(change_pipeline(inside, *submission.build, again.build));
  if (outcome.running != Change::kept) BASE_TRY(change_pipeline(inside, *submission.running, again.running));
  return transaction.finish();
}

base::Status send_and_change(const Pachctl& pachctl, const Submission& submission, const StoredSource& stored,
                             const Outcome& outcome, const Again& again) {
  const std::string repo = source_repo_of(submission.spec.name);
  std::optional<StagedSource> source;
  if (!outcome.source.none()) {
    BASE_TRY_ASSIGN(source, send_source(pachctl, repo, stored, outcome.source, submission.source.files));
  }
  auto changed = change_all(pachctl, submission, outcome, source, again);
  if (!changed && source) (void)delete_branches(pachctl, repo, {source->branch});
  return changed;
}

base::Status change_or_take_back(const Pachctl& pachctl, const Submission& submission,
                                 const StoredSource& stored, const Outcome& outcome, const Again& again) {
  const std::string repo = source_repo_of(submission.spec.name);
  if (outcome.made_source) {
    BASE_TRY(pachctl.call(
        {"create", "repo", repo, "--description", "The source of pipeline " + submission.spec.name + "."}));
  }
  auto done = send_and_change(pachctl, submission, stored, outcome, again);
  // The error is what counts.
  if (!done && outcome.made_source) (void)pachctl.call({"delete", "repo", repo});
  return done;
}

}  // namespace

base::Result<Submission> prepare(const spec::PipelineSpec& spec, const SubmissionRules& rules) {
  BASE_TRY_ASSIGN(auto source, source::read_source(spec.transform.build.folder));
  for (const auto& file : source.files) {
    boost::system::error_code error;
    const auto bytes = fs::file_size(file.file, error);
    if (!error && bytes > rules.largest_file) {
      return base::fail(ErrorKind::bad_input, (spec.transform.build.folder / file.path).string(),
                        "has " + base::format_bytes(bytes) + ", and a source's file at most " +
                            base::format_bytes(rules.largest_file),
                        "name it in .pachignore, or raise --max-file-size");
    }
  }
  const bool is_lazy = !spec.transform.build.language.empty() && !source::has_own_script(source.files);
  auto build = build_pipeline(spec, rules.image_prefix);
  auto running = running_pipeline(spec, rules.image_prefix, is_lazy ? BuildFiles::lazy : BuildFiles::whole);
  return Submission{spec, std::move(source), std::make_shared<const json>(std::move(build)),
                    std::make_shared<const json>(std::move(running))};
}

base::Status pass_on(const Pachctl& pachctl, const json& spec, Existing existing, Reprocess reprocess) {
  return send_spec(pachctl, spec, existing, reprocess == Reprocess::everything);
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
  return base::fail(
      ErrorKind::usage, spec.places.where("/pipeline/project/name"),
      "the pipeline is of project \"" + spec.project + "\", and --project says \"" + pachctl.project() + "\"",
      "leave one of the two away");
}

base::Result<Outcome> submit(const Pachctl& pachctl, const Present& present, const Submission& submission,
                             Existing existing, Reprocess reprocess,
                             const std::function<void(const Changes&)>& sending) {
  BASE_TRY(check_names(present, submission, existing));
  const std::string repo = source_repo_of(submission.spec.name);
  const bool everything = reprocess == Reprocess::everything;

  Outcome outcome;
  StoredSource stored;
  outcome.made_source = !present.repos.contains(repo);
  if (!outcome.made_source) {
    BASE_TRY_ASSIGN(stored, read_source(pachctl, repo));
    BASE_TRY(delete_branches(pachctl, repo, stored.leftovers));
  }
  BASE_TRY_ASSIGN(outcome.source, compare(stored, submission.source.files));
  outcome.build = change_of(present, *submission.build);
  outcome.running = change_of(present, *submission.running);
  if (everything && outcome.build == Change::kept) outcome.build = Change::updated;
  if (everything && outcome.running == Change::kept) outcome.running = Change::updated;
  if (outcome.none()) return outcome;

  const Again again{.build = everything || builds_otherwise(present, *submission.build),
                    .running = everything};
  if (!outcome.source.none()) sending(outcome.source);
  // Ctrl-C takes back what is half done, and then ends this program.
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  process::SystemRunner runner(&interruption);
  auto done = change_or_take_back(pachctl.with_runner(runner), submission, stored, outcome, again);
  std::move(interruption).pass_on();
  if (!done) return base::fail(std::move(done).error());
  return outcome;
}

}  // namespace cluster
