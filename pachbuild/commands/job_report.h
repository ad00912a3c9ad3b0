// SPDX-License-Identifier: Apache-2.0
// What a person is told about jobs.
#pragma once

#include "base/result.h"
#include "pachbuild/cluster/jobs.h"

namespace commands {

// "map: JOB_RUNNING, 12 of 241 datums (3 skipped)".
std::string text_of(const cluster::Job& job);

// Shows what a failed job has printed, the builder's own error for a build; gives the exit code.
base::Result<int> show_failure(const cluster::Pachctl& pachctl, const cluster::Job& job);

// Waits for the pipeline's job with this id, or the newest one when it is empty, and tells how it goes; the
// exit code is by how it ends.
base::Result<int> wait_for_pipeline(const cluster::Pachctl& pachctl, const std::string& pipeline,
                                    const std::string& id);

}  // namespace commands
