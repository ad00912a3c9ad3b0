// SPDX-License-Identifier: Apache-2.0
// --build and --push-images: the images of pipelines, before the pipelines are submitted.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/cluster_options.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace commands {

struct PublishOptions {
  bool build = false;
  bool push_images = false;
  std::string registry = "docker.io";
  std::string username;
  bool password_from_input = false;
  std::string tool;
  std::string tag;
  bool write = false;

  void add_to(CLI::App& verb);
};

// Builds and pushes what the options ask for, and makes the pipelines run in it; with `write` the spec files
// say so too.
base::Status publish(const PublishOptions& options, const SpecOptions& specs,
                     std::vector<LoadedPipeline>& pipelines);

}  // namespace commands
