// SPDX-License-Identifier: Apache-2.0
// The options that say which pipelines, over which data of this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/pipelines.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}  // namespace CLI

namespace commands {

struct DataOptions {
  std::vector<std::string> specs;  // files and folders
  std::string jsonnet;             // a template that makes specs, and its arguments
  std::vector<std::string> arguments;
  std::vector<std::string> inputs;  // "REPO=PATH"
  std::string pipeline;             // the one of several that is meant
  std::string tick;

  // -f, --jsonnet, --arg, -i, --pipeline and --tick.
  void add_to(CLI::App& verb);

  // What of it is to be run.
  [[nodiscard]] base::Result<local::Plan> plan() const;

  // The specs alone, and the folders of repos.
  [[nodiscard]] base::Result<std::vector<spec::PipelineSpec>> load() const;
  [[nodiscard]] base::Result<local::GivenRepos> repos() const;

  // Of the tick that cron inputs get: by default now. RFC 3339 in UTC, as a worker finds it.
  [[nodiscard]] base::Result<std::string> tick_time() const;
};

}  // namespace commands
