// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/cluster_jobs.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "pachbuild/cluster/job_replay.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/local/plan/remote_repos.h"
#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace cluster {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobReplay, id, has_ended, has_build, spec, commits, failed)

}  // namespace cluster

namespace commands {
namespace {

using base::ErrorKind;

// Raise it when the meaning of what is kept changes.
constexpr int k_kept_version = 1;

base::Result<base::fs::path> memory_of(const std::string& job) {
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  base::Sha256 name;
  name.update_field("job");
  name.update_field(cluster::Pachctl::cluster_identity());
  name.update_field(job);
  return cache / "clusters" / name.finish();
}

std::optional<cluster::JobReplay> kept_replay(const base::fs::path& file) {
  const auto kept = local::load_sealed(file, k_kept_version);
  try {
    if (kept) return kept->at("job").get<cluster::JobReplay>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

base::Result<cluster::JobReplay> replay_of(const std::string& job) {
  BASE_TRY_ASSIGN(const auto place, cluster::parse_job_place(job, "--job"));
  BASE_TRY_ASSIGN(const auto file, memory_of(job));
  if (!place.job.empty()) {
    if (auto kept = kept_replay(file)) return std::move(*kept);
  }
  BASE_TRY_ASSIGN(const auto pachctl, connect({}));
  BASE_TRY_ASSIGN(auto replay, cluster::read_job_replay(pachctl, place));
  if (replay.has_ended && !place.job.empty()) {
    BASE_TRY(base::make_folders(file.parent_path(), 0700));
    BASE_TRY(local::save_sealed(file, k_kept_version, {{"job", replay}}));
  }
  return replay;
}

// "images" of "default/images@master", as inputs are looked up.
std::string key_of(const std::string& repo) {
  const std::string suffix = std::string("@") + spec::k_default_branch;
  return repo.ends_with(suffix) ? repo.substr(0, repo.size() - suffix.size()) : repo;
}

// A job names every input, and has them in the order that came of the names which the spec gave: that order
// counts, for the ids of datums too.
void keep_order(spec::Input& input) {
  input.repo.is_named = false;
  for (auto& part : input.parts) keep_order(part);
}

}  // namespace

base::Result<local::Plan> plan_of_job(const std::string& job) {
  BASE_TRY_ASSIGN(const auto replay, replay_of(job));
  BASE_TRY_ASSIGN(auto spec, spec::read_finished_pipeline(replay.spec, job));
  keep_order(spec.input);
  local::GivenRepos given;
  for (const auto& [repo, address] : replay.commits) given[key_of(repo)] = local::k_remote_prefix + address;
  BASE_TRY_ASSIGN(auto plan, local::make_plan({std::move(spec)}, given));
  plan.job = replay.id;
  plan.has_artifacts = replay.has_build;
  return plan;
}

base::Result<std::vector<std::string>> failed_datums_of(const std::string& job) {
  BASE_TRY_ASSIGN(auto replay, replay_of(job));
  if (!replay.failed.empty()) return std::move(replay.failed);
  return base::fail(ErrorKind::bad_input, "--job " + job, "has no failed datum",
                    "name one in --datum; pachctl list datum shows them");
}

}  // namespace commands
