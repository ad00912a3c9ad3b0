// SPDX-License-Identifier: Apache-2.0
// Takes a build pipeline away: the pipeline, what builds it and its source.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/source_repo.h"

namespace cluster {

// What belongs to a pipeline and is there; the order is the one in which it can go.
struct Belongings {
  std::string pipeline;
  std::vector<std::string> pipelines;
  std::vector<std::string> repos;
  SourceBranches branches;
};

// An error when the pipeline has no build, when anything that would go was not made by this program, or when
// another pipeline reads it. Changes nothing.
base::Result<Belongings> find_belongings(const Pachctl& pachctl, const std::string& pipeline);

// Stopped in between and run again, it goes on where it was. An update that is under way then fails; one that
// has happened since find_belongings() is an error, and nothing is deleted.
base::Status remove(const Pachctl& pachctl, Belongings belongings);

}  // namespace cluster
