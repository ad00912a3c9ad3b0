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
#include "base/workspace.h"
#include "pachbuild/cluster/change.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/source/source.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace cluster {

// A pipeline that is ready to be submitted: everything that can be wrong with it here was looked at.
struct Submission {
  spec::PipelineSpec spec;
  source::Source source;
  std::shared_ptr<const nlohmann::json> build;    // the build pipeline's spec
  std::shared_ptr<const nlohmann::json> running;  // the pipeline's own
  std::string warning;                            // about the source; may be empty
  BuildSource build_source = BuildSource::shared;
  // BuildSource::own: the digest of what determines the artifact. If it differs from the last one, the build
  // pipeline gets the source. Empty: with each update.
  std::string inputs;
  // BuildSource::own: a folder with exactly the files of `source`, and what it goes with.
  base::fs::path copy;
  std::shared_ptr<const base::Workspace> workspace;
};

struct SubmissionRules {
  std::string image_prefix;                             // of the official builders' images
  std::uint64_t largest_file = source::k_largest_file;  // bytes
};

base::Result<Submission> prepare(const spec::PipelineSpec& spec, const SubmissionRules& rules);

enum class Reprocess { changed, everything };

// What was there, what was sent, what was kept.
struct Outcome {
  Changes source;
  bool made_source = false;         // the repo was not there
  bool made_build_source = false;   // nor the repo that the build pipeline reads
  bool sends_build_source = false;  // the build pipeline gets the source
  enum class Change { made, updated, kept };
  Change build = Change::kept;
  Change running = Change::kept;
  std::string id;  // of the jobs that the change has started
  [[nodiscard]] bool none() const {
    return source.none() && !sends_build_source && build == Change::kept && running == Change::kept;
  }
};

// Hands a pipeline without transform.build to pachctl, as it is.
base::Status pass_on(const Pachctl& pachctl, const nlohmann::json& spec, Existing existing,
                     Reprocess reprocess);

// Checks that a pipeline without transform.build can be handed on: it must not replace the build of another
// pipeline, nor, for `create`, an existing pipeline.
base::Status check_passed_on(const Pachctl& pachctl, const spec::ClusterPipeline& pipeline,
                             Existing existing);

// Hands on the specs that pachctl is to fetch from `url`. A source cannot come from there.
base::Status pass_on_url(const Pachctl& pachctl, const std::string& url, Existing existing,
                         Reprocess reprocess);

// The same pachctl for the project that the spec names: the repos of its source and build are there as well.
base::Result<Pachctl> pachctl_for(const Pachctl& pachctl, const spec::PipelineSpec& spec);

// Checks in advance whether the cluster allows the submission. Changes nothing.
base::Status check(const Pachctl& pachctl, const Submission& submission, Existing existing);

// Progress of a submission.
struct SubmissionEvents {
  std::function<void(const Changes&)> sending;  // before files are sent
  std::function<void()> repeating;              // starting over, since someone else changed the pipeline
};

// Submits everything or nothing. When two submissions run at the same time, the later one starts over from
// the result of the first. Repeating a submission changes nothing. Ctrl-C undoes an incomplete one.
base::Result<Outcome> submit(const Pachctl& pachctl, const Submission& submission, Existing existing,
                             Reprocess reprocess, const SubmissionEvents& events);

}  // namespace cluster
