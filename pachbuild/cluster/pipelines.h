// SPDX-License-Identifier: Apache-2.0
// What a spec with transform.build becomes on a cluster: a repo for the source, a pipeline that builds it,
// and the pipeline itself, which reads both.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "contract/pipeline_names.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace cluster {

// The names of what belongs to a pipeline.
inline constexpr char k_source_branch[] = "master";
using contract::build_pipeline_of;
using contract::build_source_repo_of;
using contract::source_repo_of;

// What a build pipeline runs.
std::vector<std::string> build_command();

// The repo that a build pipeline reads: the source's, or its own. Its own gets a commit only when something
// changes that determines the artifact, so other edits start no build job. It cannot be a branch of the
// source's repo: Pachyderm refuses a pipeline that depends on two branches of one repo.
enum class BuildSource { shared, own };

// `has_own_script`: the source has a build.sh or a run.sh.
BuildSource build_source_of(const spec::PipelineSpec& spec, bool has_own_script);

// The spec of the build pipeline; `prefix` is that of spec::images_of().
nlohmann::json build_pipeline(const spec::PipelineSpec& spec, const std::string& prefix, BuildSource source);

// How the files of a build arrive. A named pipe can be read once only, but what is not read does not travel:
// right for the artifact of builder-runtime, and nothing that another build.sh or run.sh can be expected to
// respect.
enum class BuildFiles { whole, lazy };

// The spec of the pipeline itself, with the source and the build beside the person's own input, and its
// commands in the artifact's environment.
nlohmann::json running_pipeline(const spec::PipelineSpec& spec, const std::string& prefix, BuildFiles files);

// Its commands as the person has written them; what has put them into the environment is taken away. Every
// other spec stays as it is.
nlohmann::json with_own_commands(nlohmann::json pipeline);

}  // namespace cluster
