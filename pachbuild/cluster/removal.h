// SPDX-License-Identifier: Apache-2.0
// Takes a build pipeline away: the pipeline, what builds it and its source.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

// What belongs to a pipeline and is there; the order is the one in which it can go.
struct Belongings {
  std::vector<std::string> pipelines;
  std::vector<std::string> repos;
};

// An error when the pipeline is none with a build, or when another pipeline reads what would go.
base::Result<Belongings> find_belongings(const Pachctl& pachctl, const std::string& pipeline);

// Stopped in between and run again, it goes on where it was.
base::Status remove(const Pachctl& pachctl, const Belongings& belongings);

}  // namespace cluster
