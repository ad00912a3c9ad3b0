// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/build.h"

#include "builder-runtime/phases/build_script.h"
#include "builder-runtime/phases/compile.h"
#include "builder-runtime/phases/detect.h"
#include "builder-runtime/phases/emit.h"
#include "builder-runtime/phases/resolve.h"
#include "builder-runtime/store/cache_limit.h"
#include "report/report.h"

namespace builder {

base::Status build(const Settings& settings, process::Runner& runner) {
  const Tools tools(settings, runner);

  // What is it? Nothing is started and nothing written.
  BASE_TRY_ASSIGN(const Source source, detect(settings));
  if (source.has_build_script) return run_build_script(settings, tools);
  BASE_TRY(check_out(settings.out));

  // What is found in the cache from here on stays there until the artifact is written.
  BASE_TRY_ASSIGN(const std::uint64_t limit, cache_limit(settings.environment));
  BASE_TRY_ASSIGN(auto use, CacheUse::begin(settings.cache));

  // What has to be installed or compiled, and was it before?
  BASE_TRY_ASSIGN(const Plan plan, resolve(source, tools));

  // The expensive part; a bundle of the same key is taken as it is.
  BASE_TRY_ASSIGN(const Artifact artifact, compile(plan, tools));

  // From here on the output folder is written, run.sh last.
  BASE_TRY(emit(artifact, source, tools));

  // What was added may be too much. The artifact is whole, so nothing of this can fail the build.
  if (artifact.added.empty()) return {};
  if (const auto shrunk = std::move(use).shrink(limit, artifact.added); !shrunk) {
    report::warn("cache: " + shrunk.error().where + ": " + shrunk.error().what);
  }
  return {};
}

}  // namespace builder
