// SPDX-License-Identifier: Apache-2.0
// The secrets that pipelines read: on a cluster Kubernetes has them, here the person names files. Their
// values are in memory only: no message, log, argument or file of the cache has them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

// The values by their keys.
using SecretValues = std::map<std::string, std::string>;
using Secrets = std::map<std::string, SecretValues>;

// Of options "NAME=PATH". PATH is a folder with a file for each key, as Kubernetes mounts secrets; a manifest
// of Kubernetes (.json, .yaml, .yml), as `pachctl create secret` takes it; or any other file with lines
// KEY=VALUE.
base::Result<Secrets> load_secrets(const std::vector<std::string>& options);

// Checks that every secret and key that the pipelines read was given, and nothing else. One error lists all
// that are missing.
base::Status check_secrets(const std::vector<const spec::PipelineSpec*>& specs, const Secrets& secrets);

// Of all that the pipeline reads of them, for its key: nobody can guess the values from it without a random
// file that is made in the cache. Empty when it reads none.
base::Result<std::string> digest_of_secrets(const spec::PipelineSpec& spec, const Secrets& secrets,
                                            const base::fs::path& cache);

}  // namespace local
