// SPDX-License-Identifier: Apache-2.0
// What of a cluster is this program's own, made for a pipeline, and may be changed and deleted. A name proves
// nothing: a repo map_source can be anybody's. What does is a mark that Pachyderm keeps (the description of
// the repo, of the build pipeline and of each commit) together with how the pipelines are connected.
#pragma once

#include <string>

#include "base/result.h"
#include "pachbuild/cluster/present.h"

namespace cluster {

// The description of the repo of a pipeline's source.
std::string source_mark(const std::string& pipeline);

// The description of its build pipeline.
std::string build_mark(const std::string& pipeline);

// Whether NAME_build is there and is what this program has made: it has the mark, reads NAME_source@master of
// its own project as `source` and nothing else, starts build.sh, and writes to branch `build`.
bool is_build(const Present& present, const std::string& pipeline);

// Whether NAME is there and runs what NAME_build builds: its input crosses the source and the build.
bool runs_build(const Present& present, const std::string& pipeline);

// That what has the names of the source and the build of `pipeline` is this program's own, or not there; the
// error, at `where`, names what is not. `has_own_head`: the newest commit of the source was made by this
// program. Versions that did not mark repos had a description as well, which a person may have written: there
// that commit, or the build pipeline, is needed as proof.
base::Status check_ownership(const Present& present, const std::string& pipeline, bool has_own_head,
                             const std::string& where);

// That NAME can become, or is, a pipeline with a build: it may be a pipeline without one, which is converted,
// but neither the build of another pipeline nor a repo that no pipeline writes.
base::Status check_convertible(const Present& present, const std::string& pipeline, const std::string& where);

}  // namespace cluster
