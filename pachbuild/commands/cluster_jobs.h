// SPDX-License-Identifier: Apache-2.0
// Jobs of the cluster that pachctl speaks to, to be done again on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/pipelines.h"

namespace commands {

// The pipeline of a job ("[PROJECT/]PIPELINE[@JOB]") as it was then, with the commits that it read. What was
// read of a job that has ended is kept in the cache: it needs no cluster again.
base::Result<local::Plan> plan_of_job(const std::string& job);

// The ids of the datums of the job that failed; none is an error.
base::Result<std::vector<std::string>> failed_datums_of(const std::string& job);

}  // namespace commands
