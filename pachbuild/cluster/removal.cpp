// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/removal.h"

#include <algorithm>

#include "base/text.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/present.h"

namespace cluster {
namespace {

using base::ErrorKind;

// Pachyderm would leave a pipeline paused that it cannot delete.
base::Status check_readers(const Present& present, const std::string& pipeline,
                           const Belongings& belongings) {
  for (const auto& repo : {pipeline, build_pipeline_of(pipeline), source_repo_of(pipeline)}) {
    for (const auto& reader : present.readers_of(repo)) {
      const auto& ours = belongings.pipelines;
      if (std::find(ours.begin(), ours.end(), reader) != ours.end()) continue;
      return base::fail(ErrorKind::bad_input, "pipeline " + pipeline,
                        "pipeline " + reader + " reads its repo " + repo, "delete that one first");
    }
  }
  return {};
}

}  // namespace

base::Result<Belongings> find_belongings(const Pachctl& pachctl, const std::string& pipeline) {
  BASE_TRY_ASSIGN(const Present present, read_present(pachctl));
  const std::string build = build_pipeline_of(pipeline);
  const std::string source = source_repo_of(pipeline);
  Belongings belongings;
  if (present.pipelines.contains(pipeline)) belongings.pipelines.push_back(pipeline);
  if (present.has_build_of(pipeline)) belongings.pipelines.push_back(build);
  // Without its build a source is known by its name alone; only what a deletion has begun is continued.
  const bool is_rest = !present.pipelines.contains(pipeline) && !present.pipelines.contains(build);
  if (present.repos.contains(source) && (is_rest || present.has_build_of(pipeline)))
    belongings.repos.push_back(source);
  if (belongings.pipelines.empty() && belongings.repos.empty()) return base::fail(no_such_pipeline(pipeline));
  if (present.pipelines.contains(pipeline) && !present.has_build_of(pipeline)) {
    return base::fail(ErrorKind::bad_input, "pipeline " + pipeline, "has no build",
                      "pachctl delete pipeline deletes it");
  }
  BASE_TRY(check_readers(present, pipeline, belongings));
  return belongings;
}

base::Status remove(const Pachctl& pachctl, const Belongings& belongings) {
  for (const auto& pipeline : belongings.pipelines) {
    BASE_TRY(pachctl.call({"delete", "pipeline", pipeline}));
  }
  for (const auto& repo : belongings.repos) BASE_TRY(pachctl.call({"delete", "repo", repo}));
  return {};
}

}  // namespace cluster
