// SPDX-License-Identifier: Apache-2.0
// What a project of the cluster has.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

// A repo that a pipeline reads.
struct RepoInput {
  std::string name;  // of the folder below /pfs
  std::string project;
  std::string repo;
  std::string branch;
  bool operator==(const RepoInput&) const = default;
};

struct PresentPipeline {
  std::string project;
  std::string state;  // Pachyderm's: "PIPELINE_RUNNING"
  std::string reason;
  std::string last_job;  // the state of the newest job: "JOB_SUCCESS"; empty: there is none
  std::string description;
  std::string output_branch;
  std::vector<std::string> command;
  // The spec as its maker wrote it, without what is the same for every pipeline of the project.
  std::shared_ptr<const nlohmann::json> spec;
  std::vector<RepoInput> inputs;  // all of them, however they are nested
  // Those that every datum has: the only input, or what the cross at the top has directly.
  std::vector<RepoInput> direct_inputs;
};

struct Present {
  std::map<std::string, std::string> repos;          // their descriptions, by name
  std::map<std::string, PresentPipeline> pipelines;  // by name
};

// Each may be the first thing that is asked of a cluster: one that does not answer is an error that says how
// to see why.
base::Result<std::map<std::string, std::string>> read_repos(const Pachctl& pachctl);
base::Result<std::map<std::string, PresentPipeline>> read_pipelines(const Pachctl& pachctl);

// Both.
base::Result<Present> read_present(const Pachctl& pachctl);

// A pipeline of any project, and what it reads.
struct Reader {
  std::string project;
  std::string name;
  std::vector<RepoInput> inputs;
};
base::Result<std::vector<Reader>> read_all_readers(const Pachctl& pachctl);

// The error about a pipeline that is not in the project.
base::Error no_such_pipeline(const std::string& pipeline);

// A spec without what is the same for every pipeline of the project, so that two can be compared.
nlohmann::json comparable(nlohmann::json spec);

}  // namespace cluster
