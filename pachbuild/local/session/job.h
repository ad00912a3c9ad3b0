// SPDX-License-Identifier: Apache-2.0
// What decides the results of a pipeline's datums apart from their files: for the key of each result, and for
// people who ask why a datum runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pachbuild/local/record/run_record.h"
#include "pachbuild/local/session/build.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

class Job {
 public:
  // `image_id` is of the container in which datums run, empty for this machine; `secrets_digest` of what the
  // pipeline reads of secrets; `arguments` are added to the command.
  Job(const spec::PipelineSpec& spec, const Artifact& artifact, const std::string& image_id,
      const std::string& secrets_digest, const std::vector<std::string>& arguments);

  // The same job, the same results of the same files.
  [[nodiscard]] std::string key() const;
  // What people know of it, without what the build brings.
  [[nodiscard]] Facts settings() const;

 private:
  // By the names that people know them by; an empty value: it is not set.
  std::vector<std::pair<std::string, std::string>> m_parts;
};

// What people know of a build.
Facts build_facts(const spec::PipelineSpec& spec, const Artifact& artifact);

}  // namespace local
