// SPDX-License-Identifier: Apache-2.0
// An `update pipeline` that is a round of `pachbuild dev --cluster`: what its jobs print, and how it ended.
#pragma once

#include <string>
#include <vector>

#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/submit.h"
#include "pachbuild/commands/round.h"

namespace commands {

class ClusterRound {
 public:
  ClusterRound();

  // Nobody sees more of it than its logs and `dev`'s line.
  [[nodiscard]] bool is_quiet() const { return m_is_quiet; }

  // A pipeline was handed on.
  void passed_on(const std::string& pipeline);

  // Shows the logs of the pipeline's jobs as they come, each line led by the name of the pipeline or its
  // build, until they have ended; gives the exit code.
  base::Result<int> follow(const cluster::Pachctl& pachctl, const std::string& pipeline,
                           const cluster::Outcome& outcome);

  [[nodiscard]] RoundSummary summary() const;

 private:
  struct Part {
    std::string pipeline;
    std::string text;
    bool failed = false;
  };
  bool m_is_quiet;
  std::vector<Part> m_parts;
};

}  // namespace commands
