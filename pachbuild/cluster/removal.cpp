// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/removal.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/transaction.h"

namespace cluster {
namespace {

using base::ErrorKind;

// Pachyderm would leave a pipeline paused that it cannot delete. Readers can be of any project.
base::Status check_readers(const Pachctl& pachctl, const std::string& project, const Belongings& belongings) {
  BASE_TRY_ASSIGN(const auto readers, read_all_readers(pachctl));
  const auto& own = belongings.pipelines;
  const std::set<std::string> repos{belongings.pipeline, build_pipeline_of(belongings.pipeline),
                                    source_repo_of(belongings.pipeline),
                                    build_source_repo_of(belongings.pipeline)};
  for (const auto& reader : readers) {
    const bool is_near = reader.project == project;
    if (is_near && std::find(own.begin(), own.end(), reader.name) != own.end()) continue;
    for (const auto& input : reader.inputs) {
      if (input.project != project || !repos.contains(input.repo)) continue;
      return base::fail(ErrorKind::bad_input, "pipeline " + belongings.pipeline,
                        "pipeline " + reader.name + (is_near ? "" : " of project " + reader.project) +
                            " reads its repo " + input.repo,
                        "delete that pipeline first");
    }
  }
  return {};
}

// That everything in the repo of the source was put there by this program.
base::Status check_commits(const Pachctl& pachctl, const std::string& where, const std::string& repo) {
  BASE_TRY_ASSIGN(const auto foreign, foreign_commits(pachctl, repo));
  if (foreign.empty()) return {};
  return base::fail(ErrorKind::bad_input, where,
                    "repo \"" + repo + "\" contains " + base::count_of(foreign.size(), "commit") +
                        (foreign.size() == 1 ? " that was" : " that were") +
                        " not made by pachbuild; the newest is " + foreign.front(),
                    "save the files, then delete the pipeline, the build pipeline and the repo with pachctl");
}

// From now on every update that is under way fails, and no other one begins.
base::Status begin(const Pachctl& pachctl, const std::string& repo, const SourceBranches& branches) {
  BASE_TRY_ASSIGN(auto transaction, Transaction::start(pachctl));
  const Pachctl& inside = transaction.pachctl();
  BASE_TRY(delete_branches(inside, repo, branches.versions, BranchDeletion::must_exist));
  BASE_TRY(inside.call({"create", "branch", repo + "@" + k_deleting_branch, "--head", branches.head}));
  return transaction.finish();
}

base::Result<Belongings> find_once(const Pachctl& pachctl, const std::string& pipeline) {
  const std::string where = "pipeline " + pipeline;
  const std::string build = build_pipeline_of(pipeline);
  const std::string source = source_repo_of(pipeline);
  Belongings belongings;
  belongings.pipeline = pipeline;
  Present present;
  BASE_TRY_ASSIGN(present.repos, read_repos(pachctl));
  const bool has_source = present.repos.contains(source);
  if (has_source) {
    BASE_TRY_ASSIGN(belongings.branches, read_branches(pachctl, source));
  }
  BASE_TRY_ASSIGN(present.pipelines, read_pipelines(pachctl));
  const bool is_there = present.pipelines.contains(pipeline);
  const auto is_own = check_ownership(present, pipeline, belongings.branches.is_own, where);
  if (is_there && !runs_build(present, pipeline)) {
    return base::fail(ErrorKind::bad_input, where, "has no build", "pachctl delete pipeline deletes it");
  }
  // With the pipeline gone, only what a deletion has begun is continued.
  if (!is_there &&
      !(is_own && (has_source || has_build_source(present, pipeline) || present.pipelines.contains(build))))
    return base::fail(no_such_pipeline(pipeline));
  if (!is_own) return base::fail(is_own.error());
  if (is_there) belongings.pipelines.push_back(pipeline);
  if (present.pipelines.contains(build)) belongings.pipelines.push_back(build);
  if (reads_build_source(present, pipeline)) BASE_TRY(check_build_source(present, pipeline, where));
  if (has_build_source(present, pipeline)) belongings.repos.push_back(build_source_repo_of(pipeline));
  if (has_source) {
    belongings.repos.push_back(source);
    BASE_TRY(check_commits(pachctl, where, source));
  }
  if (!belongings.pipelines.empty()) {
    const auto& project = present.pipelines.at(belongings.pipelines.front()).project;
    BASE_TRY(check_readers(pachctl, project, belongings));
  }
  return belongings;
}

}  // namespace

// A cluster that changes between two questions can look as if names were somebody else's: only what is found
// twice is an error.
base::Result<Belongings> find_belongings(const Pachctl& pachctl, const std::string& pipeline) {
  auto found = find_once(pachctl, pipeline);
  return found ? found : find_once(pachctl, pipeline);
}

base::Status remove(const Pachctl& pachctl, Belongings belongings) {
  const std::string source = source_repo_of(belongings.pipeline);
  SourceBranches& branches = belongings.branches;
  if (!branches.head.empty() && !branches.is_deleting) {
    if (branches.versions.empty()) {
      // An older program has made it. The version is there before all is looked at again.
      BASE_TRY(pachctl.call({"create", "branch", source + "@" + new_version(), "--head", branches.head}));
      BASE_TRY_ASSIGN(belongings, find_belongings(pachctl, belongings.pipeline));
    }
    if (!begin(pachctl, source, branches)) {
      return base::fail(ErrorKind::network, "pipeline " + belongings.pipeline,
                        "was just changed by someone else", "check it and try again");
    }
  }
  for (const auto& pipeline : belongings.pipelines) {
    auto deleted = pachctl.call({"delete", "pipeline", pipeline});
    if (deleted) continue;
    // Nothing is gone yet: whoever wants to update it instead can.
    if (pipeline == belongings.pipelines.front() && !belongings.repos.empty())
      (void)delete_branches(pachctl, source, {k_deleting_branch}, BranchDeletion::force);
    return base::fail(std::move(deleted).error());
  }
  for (const auto& repo : belongings.repos) BASE_TRY(pachctl.call({"delete", "repo", repo}));
  return {};
}

}  // namespace cluster
