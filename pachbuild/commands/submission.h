// SPDX-License-Identifier: Apache-2.0
// What the verbs that submit pipelines have in common.
#pragma once

#include <string>
#include <vector>

#include "pachbuild/cluster/submit.h"
#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/publish.h"

namespace commands {

struct SubmissionOptions {
  SpecOptions specs;
  PublishOptions publication;
  cluster::Target target;
  std::string output;
  bool reprocess = false;
  bool dry_run = false;
  bool wait = false;
  int round = -1;  // of `dev --cluster`: where it wants to read how this ended
  cluster::Existing existing = cluster::Existing::update;

  // All but those about specs and images.
  void add_to(CLI::App& verb);
};

// Hands the specs at an address to pachctl, which fetches them.
base::Result<int> submit_url(const SubmissionOptions& options);

// Submits the pipelines in turn, or says what would be submitted; gives the exit code.
base::Result<int> submit(const SubmissionOptions& options, std::vector<LoadedPipeline> pipelines);

}  // namespace commands
