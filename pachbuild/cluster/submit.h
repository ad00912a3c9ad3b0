// SPDX-License-Identifier: Apache-2.0
// Brings a pipeline with transform.build to a cluster: only what differs is sent and changed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace cluster {

// A pipeline that is ready to be submitted: everything that can be wrong with it here was looked at.
struct Submission {
  spec::PipelineSpec spec;
  source::Source source;
  std::shared_ptr<const nlohmann::json> build;    // the build pipeline's spec
  std::shared_ptr<const nlohmann::json> running;  // the pipeline's own
};

struct SubmissionRules {
  std::string image_prefix;        // of the official builders' images
  std::uint64_t largest_file = 0;  // bytes
};

base::Result<Submission> prepare(const spec::PipelineSpec& spec, const SubmissionRules& rules);

enum class Existing { update, refuse };
enum class Reprocess { changed, everything };

// What was there, what was sent, what was kept.
struct Outcome {
  Changes source;
  bool made_source = false;  // the repo was not there
  enum class Change { made, updated, kept };
  Change build = Change::kept;
  Change running = Change::kept;
  [[nodiscard]] bool none() const {
    return source.none() && build == Change::kept && running == Change::kept;
  }
};

// Hands a pipeline without transform.build to pachctl, as it is.
base::Status pass_on(const Pachctl& pachctl, const nlohmann::json& spec, Existing existing,
                     Reprocess reprocess);

// The same for specs that pachctl is to fetch from `url`. A source cannot come from there.
base::Status pass_on_url(const Pachctl& pachctl, const std::string& url, Existing existing,
                         Reprocess reprocess);

// The same pachctl for the project that the spec names: the repos of its source and build are there as well.
base::Result<Pachctl> pachctl_for(const Pachctl& pachctl, const spec::PipelineSpec& spec);

// Submits to a project that has what is `present`; either all of it happens or nothing does. Run again with
// the same, it changes nothing. `sending` is called before files travel. Ctrl-C takes back what is half done.
base::Result<Outcome> submit(const Pachctl& pachctl, const Present& present, const Submission& submission,
                             Existing existing, Reprocess reprocess,
                             const std::function<void(const Changes&)>& sending);

}  // namespace cluster
