// SPDX-License-Identifier: Apache-2.0
// The build step of a run: the source as it is now, and what builder-runtime makes of it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/local/pool/slots.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/session/events.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/interruption.h"

namespace local {

struct Artifact {
  std::shared_ptr<const base::Workspace> scratch;  // has all of it
  base::fs::path source;                           // a copy of the source: edits during the run do not show
  base::fs::path folder;                           // what the build left in /pfs/out
  std::string source_version;
  std::map<std::string, std::string> source_files;   // their digests, by path
  std::map<std::string, std::string> builder_files;  // the same of a builder that is a folder
  std::string version;                               // of what is in `folder`
  std::string record;                                // its build.json; empty: it has none
  // On a cluster the running pipeline reads /pfs/build lazily, unless scripts of the user's own may read a
  // file there twice.
  bool lazy = true;
  // Whether it has something for commands of the pipeline's own, and the shim of this machine, which starts
  // them.
  bool has_environment = false;
  std::string shim;
};

// What a build tells of itself: Warned, SourceLeftOut, BuildSteps and BuildPrints.
using TellOfBuild = std::function<void(Event::What)>;

// Builds in the cache folder; in `container` where there is one, in one of the `slots`. A build that fails
// has printed why; the error then has no text and its kind is the builder's exit code.
base::Result<Artifact> build(const spec::PipelineSpec& spec, const Container* container,
                             const base::fs::path& cache, Slots& slots, process::Interruption& interruption,
                             const TellOfBuild& tell);

// The outcome of a build as that of this program: the builder has said what is wrong.
base::Status check_build(const TaskOutcome& outcome);

// Each image has a cache of its own on this machine, since its containers do not last.
base::fs::path image_cache(const Container& container, const base::fs::path& cache);

// Pipelines of which the build would be the same have the same key.
std::string build_key(const spec::PipelineSpec& spec, const Container* container);

// The builds of a session: pipelines with the same key share one. Safe on any thread.
class Builds {
 public:
  // The artifact of the key, which the first who asks makes while the others wait. An error is given to the
  // first with its words, to the others without: it has been told.
  base::Result<Artifact> get(const std::string& key, const std::function<base::Result<Artifact>()>& make);

 private:
  std::mutex m_mutex;
  std::condition_variable m_made;
  std::map<std::string, std::optional<base::Result<Artifact>>> m_builds;
};

// Of everything that is in an artifact's folder: the same version, the same files.
base::Result<std::string> artifact_version(const base::fs::path& folder);

}  // namespace local
