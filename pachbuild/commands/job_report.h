// SPDX-License-Identifier: Apache-2.0
// What a person is told about jobs.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "pachbuild/cluster/jobs.h"

namespace commands {

// "map: JOB_RUNNING, 12 of 241 datums (3 skipped)".
std::string text_of(const cluster::Job& job);

// Shows what a failed job has printed, the builder's own error for a build; gives the exit code.
base::Result<int> show_failure(const cluster::Pachctl& pachctl, const cluster::Job& job);

// Tells that the job failed; gives the exit code.
int fail_of(const cluster::Job& job);

// Waits for the jobs of the pipeline and its build with this id, or the newest one when it is empty, and
// tells how they go when it is asked to.
base::Result<cluster::Jobs> wait_for_pipeline(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                              const std::string& id, bool tells,
                                              const std::function<void(const cluster::Jobs&)>& looked = {});

// The same; shows a failure. The exit code is by how they end.
base::Result<int> await_pipeline(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                 const std::string& id);

}  // namespace commands
