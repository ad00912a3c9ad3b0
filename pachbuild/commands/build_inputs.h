// SPDX-License-Identifier: Apache-2.0
// Finds out whether a pipeline on a cluster needs a new build.
#pragma once

#include "base/result.h"
#include "pachbuild/cluster/submit.h"
#include "process/interruption.h"

namespace commands {

// For BuildSource::own: sets the digest of what determines the artifact, as builder-runtime on this machine
// reports it, and copies the source first, so that exactly the files behind the digest are sent. If the
// builder fails, the digest covers every file, and the build on the cluster then reports the error.
base::Status find_build_inputs(cluster::Submission& submission, process::Interruption& interruption);

}  // namespace commands
