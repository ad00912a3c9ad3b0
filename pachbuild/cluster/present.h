// SPDX-License-Identifier: Apache-2.0
// What a project of the cluster has.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

struct PresentPipeline {
  std::string state;  // Pachyderm's: "PIPELINE_RUNNING"
  std::string reason;
  // The spec as its maker wrote it, without what is the same for every pipeline of the project.
  std::shared_ptr<const nlohmann::json> spec;
  std::vector<std::string> repos;  // that it reads
};

struct Present {
  std::map<std::string, PresentPipeline> pipelines;  // by name
  std::set<std::string> repos;

  // Whether NAME_build is there and builds NAME_source.
  [[nodiscard]] bool has_build_of(const std::string& pipeline) const;
  // The pipelines that read `repo`.
  [[nodiscard]] std::vector<std::string> readers_of(const std::string& repo) const;
};

// The first thing to be asked of a cluster: one that does not answer is an error that says how to see why.
base::Result<Present> read_present(const Pachctl& pachctl);

// The error about a pipeline that is not in the project.
base::Error no_such_pipeline(const std::string& pipeline);

// A spec without what is the same for every pipeline of the project, so that two can be compared.
nlohmann::json comparable(nlohmann::json spec);

}  // namespace cluster
