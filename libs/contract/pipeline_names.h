// SPDX-License-Identifier: Apache-2.0
// The names of what belongs to a pipeline with a build on a cluster, and how long names may be there.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "contract/layout.h"

namespace contract {

// maxPipelineNameLength of Pachyderm 2.12.
inline constexpr std::size_t k_longest_pipeline_name = 51;

// The longest name that a pipeline of the project ("" stands for "default") can have: Kubernetes allows 63
// characters for the "<project>-<name>-v99" that Pachyderm makes of it.
inline std::size_t longest_pipeline_name(std::string_view project) {
  constexpr std::size_t k_longest_label = 63;
  constexpr std::size_t k_additions = 5;
  const std::size_t taken =
      (project.empty() ? std::string_view("default").size() : project.size()) + k_additions;
  return std::min(k_longest_pipeline_name, k_longest_label - std::min(k_longest_label, taken));
}

// The repo with the source of "map" is "map_source".
inline std::string source_repo_of(const std::string& pipeline) { return pipeline + k_source_repo_suffix; }

// The pipeline that builds "map" is "map_build". Where that would be too long, names stay apart by a digest:
// the name's first 36 characters, '-', the first 8 hexadecimal digits of its SHA-256, and "_build".
inline std::string build_pipeline_of(const std::string& pipeline) {
  constexpr std::size_t k_room = k_longest_pipeline_name - std::string_view(k_build_pipeline_suffix).size();
  constexpr std::size_t k_digits = 8;
  if (pipeline.size() <= k_room) return pipeline + k_build_pipeline_suffix;
  return pipeline.substr(0, k_room - k_digits - 1) + "-" + base::sha256(pipeline).substr(0, k_digits) +
         k_build_pipeline_suffix;
}

// The repo that the build pipeline of "map" reads, where that is not map_source: "map_build_source".
inline std::string build_source_repo_of(const std::string& pipeline) {
  return source_repo_of(build_pipeline_of(pipeline));
}

}  // namespace contract
