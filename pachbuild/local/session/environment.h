// SPDX-License-Identifier: Apache-2.0
// The environment of builds and datums on this machine, and where pachbuild keeps what outlives a run.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/plan/secrets.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/command.h"

namespace local {

// PACHBUILD_CACHE_DIR, else $XDG_CACHE_HOME/pachbuild, else ~/.cache/pachbuild, which need not exist.
base::Result<base::fs::path> cache_path();
// Fails when another user could change the folder; one that does not exist cannot be.
base::Status check_cache(const base::fs::path& folder);
// The cache's folder, made for this user only and checked.
base::Result<base::fs::path> cache_folder();

// A build sees all of the person's environment: proxies, indexes and credentials are in it.
process::Environment build_environment(const base::fs::path& cache);

// Adds what a build sees of its pipeline: its name, and the spec's `transform.build.env`.
void add_build_variables(process::Environment& environment, const spec::PipelineSpec& spec);
// The latter alone.
void add_declared_variables(process::Environment& environment,
                            const std::map<std::string, std::string>& variables);

// Adds what all datums of a pipeline see: the variables of a worker, and the spec's `transform.env`.
void add_pipeline_variables(process::Environment& environment, const spec::PipelineSpec& spec,
                            const std::string& source_version, const std::string& build_version);

// Puts the secrets that the pipeline reads into the task, as Kubernetes would. All of them must be there.
void add_secrets(Task& task, const spec::PipelineSpec& spec, const Secrets& secrets);

// What a worker sets for a datum, whatever `transform.env` says, and in its order: for each file `<input>`,
// `<input>_COMMIT`, PACH_DATUM_<input>_JOIN_ON and _GROUP_BY, then the ids of datum, job, output and its
// files; `job` is the id of a job that is done again, else empty. (UserCodeEnv in
// src/server/worker/driver/driver.go of 2.12)
std::vector<std::pair<std::string, std::string>> datum_variables(const Datum& datum,
                                                                 const spec::PipelineSpec& spec,
                                                                 const std::string& build_version,
                                                                 const std::string& job);

}  // namespace local
