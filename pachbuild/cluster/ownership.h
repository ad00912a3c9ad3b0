// SPDX-License-Identifier: Apache-2.0
// Decides which repos and pipelines of a cluster belong to pachbuild, which may change and delete them. A
// name proves nothing: a repo map_source can be anybody's. The proof is a mark that Pachyderm keeps (the
// description of the repo, of the build pipeline and of each commit) together with how the pipelines are
// connected.
#pragma once

#include <string>

#include "base/result.h"
#include "pachbuild/cluster/present.h"

namespace cluster {

// The description of the repo of a pipeline's source.
std::string source_mark(const std::string& pipeline);

// The description of NAME_build_source, the repo that only the build pipeline reads.
std::string build_source_mark(const std::string& pipeline);

// The description of its build pipeline.
std::string build_mark(const std::string& pipeline);

// Whether NAME_build exists and was made by pachbuild: it has the mark, reads NAME_build_source@master or
// NAME_source@master of its own project as `source` and nothing else, starts build.sh, and writes to branch
// `build`.
bool is_build(const Present& present, const std::string& pipeline);

// Whether NAME_build exists and reads NAME_build_source@master.
bool reads_build_source(const Present& present, const std::string& pipeline);

// Whether NAME exists and runs what NAME_build builds: its input crosses the source and the build.
bool runs_build(const Present& present, const std::string& pipeline);

// Checks that the repo and pipeline with the names of the source and build of `pipeline` belong to pachbuild
// or do not exist; the error, at `where`, names the one that does not. `has_own_head`: pachbuild made the
// newest commit of the source. Releases that did not mark repos used a description that a person may have
// written as well: for these that commit, or the build pipeline, is the proof.
base::Status check_ownership(const Present& present, const std::string& pipeline, bool has_own_head,
                             const std::string& where);

// Whether NAME_build_source exists and was made by pachbuild.
bool has_build_source(const Present& present, const std::string& pipeline);

// Checks that NAME_build_source was made by pachbuild or does not exist.
base::Status check_build_source(const Present& present, const std::string& pipeline,
                                const std::string& where);

// Checks that NAME is or can become a pipeline with a build. A pipeline without one is converted; the build
// of another pipeline, or a repo that no pipeline writes, is refused.
base::Status check_convertible(const Present& present, const std::string& pipeline, const std::string& where);

}  // namespace cluster
