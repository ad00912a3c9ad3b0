// SPDX-License-Identifier: Apache-2.0
// The build step of a run: the source as it is now, and what builder-runtime makes of it.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/interruption.h"

namespace local {

struct Artifact {
  base::fs::path source;  // a copy of the source: edits during the run do not show
  base::fs::path folder;  // what the build left in /pfs/out
  std::string source_version;
  std::string version;  // of what is in `folder`
  // On a cluster the running pipeline reads /pfs/build lazily, unless scripts of the user's own may read a
  // file there twice.
  bool lazy = true;
};

// Builds below `scratch`, which must be on the file system of `cache`; in `container` where there is one, in
// one of the `slots`. A build that fails has printed why; the error then has no text and its kind is the
// builder's exit code.
base::Result<Artifact> build(const spec::PipelineSpec& spec, const Container* container,
                             const base::fs::path& cache, const base::fs::path& scratch, Slots& slots,
                             process::Interruption& interruption);

// Of everything that is in an artifact's folder: the same version, the same files.
base::Result<std::string> artifact_version(const base::fs::path& folder);

}  // namespace local
