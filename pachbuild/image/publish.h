// SPDX-License-Identifier: Apache-2.0
// From a pipeline's Dockerfile, or its image, to an image in a registry that a cluster can pull.
#pragma once

#include <map>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/image/tool.h"

namespace image {

struct Registry {
  std::string host;      // "registry.example.com:5000"
  std::string username;  // stands before the image's name as well; may be empty
  std::string tag;       // empty: the first digits of the image's id
};

// "registry.example.com/team/map" for an image "map", "old.example.com/x/map:1" or "map:1@sha256:…".
std::string repository_of(const Registry& registry, const std::string& image);

class Publisher {
 public:
  // `tool` must live as long.
  Publisher(const Tool& tool, Registry registry) : m_tool(tool), m_registry(std::move(registry)) {}

  // Builds the Dockerfile in its own folder, once however often it is asked for, and pushes the image under
  // the name of `image`. Gives what the cluster is to pull, pinned:
  // "registry.example.com/team/map:1a2b3c4d5e6f@sha256:…".
  base::Result<std::string> publish_dockerfile(const base::fs::path& dockerfile, const std::string& image);

  // The same for an image that is there already.
  base::Result<std::string> publish_image(const std::string& image);

 private:
  base::Result<std::string> push(const std::string& id, const std::string& image);

  const Tool& m_tool;
  Registry m_registry;
  std::map<base::fs::path, std::string> m_ids;      // by Dockerfile
  std::map<std::string, std::string> m_references;  // what was pushed, by repository and id
};

}  // namespace image
