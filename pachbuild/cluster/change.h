// SPDX-License-Identifier: Apache-2.0
// One change of a pipeline's source, build and pipeline, which happens as a whole or not at all.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/source_repo.h"

namespace cluster {

enum class Existing { update, refuse };

struct PipelineChange {
  std::shared_ptr<const nlohmann::json> spec;
  // `create` fails when somebody else has made the pipeline in the meantime.
  Existing existing = Existing::update;
  bool reprocess = false;
};

struct PlannedChange {
  std::string repo;  // of the source
  // What was there when the change was planned.
  const SourceBranches& branches;
  const StoredSource& stored;
  // What becomes of it.
  const Changes& source;
  const std::vector<source::SourceFile>& files;
  const base::fs::path& copy;             // a folder with these files; for build_repo only
  std::string build_repo;                 // gets the files for the build pipeline; empty: none does
  std::vector<PipelineChange> pipelines;  // in this order
  std::string version;                    // the new one
};

struct Made {
  std::string id;  // of the jobs that it has started, as far as it is known
  base::Status status;
};

// New source, new build and new pipeline are never seen mixed with old ones, or with those of somebody else.
// After an error nothing of it is left, but an answer that was lost can leave all of it: was_made() tells.
Made make_change(const Pachctl& pachctl, const PlannedChange& change);

// Whether the change has happened, as the branches of the repo are now.
bool was_made(const PlannedChange& change, const SourceBranches& now);

// Hands a spec to pachctl: a file of this machine, or an address.
base::Status send_spec_file(const Pachctl& pachctl, const std::string& file, Existing existing,
                            bool reprocess);
// The same for a spec that has no file.
base::Status send_spec(const Pachctl& pachctl, const nlohmann::json& spec, Existing existing, bool reprocess);

}  // namespace cluster
