// SPDX-License-Identifier: Apache-2.0
// Options that several of the verbs about clusters have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/submit.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
class Option;
}  // namespace CLI

namespace commands {

// Which cluster and project.
void add_target_options(CLI::App& verb, cluster::Target& target);

// Where verbs about clusters put their files for the time being.
base::Result<base::fs::path> scratch_folder();

// The pachctl for a target.
base::Result<cluster::Pachctl> connect(const cluster::Target& target);

// Refuses the name of a pipeline that cannot be one and is that of a file: its spec, most likely.
base::Status check_pipeline_name(const std::string& name, const std::string& hint);

// Prefix for the official builder images.
void add_image_prefix_option(CLI::App& verb, std::string& prefix);

// --jsonnet and --arg, beside the option `file`: one of the two is needed.
void add_template_options(CLI::App& verb, CLI::Option& file, std::string& jsonnet,
                          std::vector<std::string>& arguments);

// What to load: the files, or the template. Fails when neither was given.
base::Result<spec::Sources> sources_of(std::vector<std::string> files, const std::string& jsonnet,
                                       const std::vector<std::string>& arguments);

// --max-file-size.
void add_largest_file_option(CLI::App& verb, std::uint64_t& largest_file);

// Which pipelines, and what they are to become.
struct SpecOptions {
  std::string spec;
  std::string jsonnet;
  std::vector<std::string> arguments;
  cluster::SubmissionRules rules;
  void add_to(CLI::App& verb);
  // Takes the only spec of the current folder where none was given.
  base::Status settle(Invocation& invocation);
  // What was given for the pipelines.
  [[nodiscard]] const std::string& name() const { return spec.empty() ? jsonnet : spec; }
  // Those about what the pipelines become alone.
  void add_rules_to(CLI::App& verb);

 private:
  const CLI::Option* m_file = nullptr;
};

// A pipeline of the file; with `submission` when it has transform.build.
struct LoadedPipeline {
  spec::ClusterPipeline pipeline;
  std::optional<cluster::Submission> submission;
};

// Looks at everything that can be looked at here, before anything is sent.
base::Result<std::vector<LoadedPipeline>> prepare(std::vector<spec::ClusterPipeline> pipelines,
                                                  const cluster::SubmissionRules& rules);
base::Result<std::vector<LoadedPipeline>> load(const SpecOptions& options,
                                               spec::Target target = spec::Target::cluster);

}  // namespace commands
