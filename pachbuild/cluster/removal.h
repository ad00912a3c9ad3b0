// SPDX-License-Identifier: Apache-2.0
// Deletes a pipeline with its build pipeline and its source.
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

// Fails if the pipeline has no build, if pachbuild did not make everything that would be deleted, or if
// another pipeline reads it. Changes nothing.
base::Result<Belongings> find_belongings(const Pachctl& pachctl, const std::string& pipeline);

// After an interruption, running it again continues the deletion. Updates in progress fail. If an update was
// made since find_belongings(), this fails and deletes nothing.
base::Status remove(const Pachctl& pachctl, Belongings belongings);

}  // namespace cluster
