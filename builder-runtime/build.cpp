// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/build.h"

#include "builder-runtime/phases/build_script.h"
#include "builder-runtime/phases/compile.h"
#include "builder-runtime/phases/detect.h"
#include "builder-runtime/phases/emit.h"
#include "builder-runtime/phases/resolve.h"

namespace builder {

base::Status build(const Settings& settings, process::Runner& runner) {
  const Tools tools(settings, runner);

  // What is it? Nothing is started and nothing written.
  BASE_TRY_ASSIGN(const Source source, detect(settings));
  if (source.has_build_script) return run_build_script(settings, tools);

  // What has to be installed or compiled, and was it before?
  BASE_TRY_ASSIGN(const Plan plan, resolve(source, tools));

  // The expensive part; a bundle of the same key is taken as it is.
  BASE_TRY_ASSIGN(const Artifact artifact, compile(plan, tools));

  // From here on the output folder is written, run.sh last.
  return emit(artifact, source, settings);
}

}  // namespace builder
