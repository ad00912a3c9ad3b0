// SPDX-License-Identifier: Apache-2.0
// Finds out whether a pipeline on a cluster needs a new build.
#pragma once

#include "base/result.h"
#include "pachbuild/cluster/submit.h"
#include "process/interruption.h"

namespace commands {

// Gives a submission whose build pipeline has a source of its own the digest of what decides the artifact, as
// builder-runtime on this machine says, and a copy of the source that the digest is of: what is sent cannot
// be another state of it. Where the builder does not say it, each file counts: then the build is what tells
// what is wrong with the source.
base::Status find_build_inputs(cluster::Submission& submission, process::Interruption& interruption);

}  // namespace commands
