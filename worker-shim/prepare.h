// SPDX-License-Identifier: Apache-2.0
// Gets the environment of an artifact ready: once per container it is unpacked from the build folder into the
// cache, afterwards it is only found there.
#pragma once

#include <string>

#include "base/result.h"
#include "worker-shim/cache.h"

namespace shim {

// The folder of the environment with this digest. Opens the build folder only when no cache has it. Any
// number of processes may ask at once: one unpacks, the others wait for it; when it fails or is killed,
// another tries. What it unpacks must have the shared libraries that `program`, of its bin/, needs.
base::Result<std::string> prepare_environment(const CacheSettings& settings, const std::string& build_folder,
                                              const std::string& digest, const std::string& program);

// Whether that environment is there and nothing has to be looked at or unpacked; false in doubt.
bool has_environment(const CacheSettings& settings, const std::string& digest);

// What an artifact has for a command that is not its own.
struct BuildFolder {
  std::string digest;          // of the one bundle that is no base; empty when there is none
  bool has_variables = false;  // that its source's settings give to programs
};
base::Result<BuildFolder> find_artifact(const std::string& build_folder);

// Sets those variables of the artifact that are not set.
base::Status set_variables(const std::string& build_folder);

std::string bundle_path(const std::string& build_folder, const std::string& digest);

// Whether the bundle can be read; else what the pipeline's spec or its build should have.
base::Status check_bundle(const std::string& build_folder, const std::string& digest);

// Whether the artifact's run.sh can be started; else what the pipeline's spec or its build should have.
base::Status check_run_script(const std::string& build_folder, const std::string& script);

}  // namespace shim
