// SPDX-License-Identifier: Apache-2.0
// Options that several of the verbs about clusters have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/submit.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace commands {

// Which cluster and project.
void add_target_options(CLI::App& verb, cluster::Target& target);

// Where verbs about clusters put their files for the time being.
base::Result<base::fs::path> scratch_folder();

// The pachctl for a target.
base::Result<cluster::Pachctl> connect(const cluster::Target& target);

// Prefix for the official builder images.
void add_image_prefix_option(CLI::App& verb, std::string& prefix);

// Which pipelines, and what they are to become.
struct SpecOptions {
  static constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 30;
  std::string spec;
  cluster::SubmissionRules rules{"", k_largest_file};
  void add_to(CLI::App& verb);
  // Those about what the pipelines become alone.
  void add_rules_to(CLI::App& verb);
};

// A pipeline of the file; with `submission` when it has transform.build.
struct LoadedPipeline {
  spec::ClusterPipeline pipeline;
  std::optional<cluster::Submission> submission;
};

// Looks at everything that can be looked at here, before anything is sent.
base::Result<std::vector<LoadedPipeline>> prepare(std::vector<spec::ClusterPipeline> pipelines,
                                                  const cluster::SubmissionRules& rules);
base::Result<std::vector<LoadedPipeline>> load(const SpecOptions& options);

}  // namespace commands
