// SPDX-License-Identifier: Apache-2.0
// What builder-runtime says about a source without building it.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/interruption.h"

namespace local {

// One of these: the image, the folder or the language of the builder.
struct ExplainedBuilder {
  std::optional<Container> container;
  base::fs::path folder;
  std::string language;
};

// JSON, of the source at `shown_source`, which errors name so. A builder that cannot tell has printed why;
// the error then has no text and its kind is the exit code.
base::Result<std::string> explain_build(const ExplainedBuilder& builder, const std::string& shown_source,
                                        const base::fs::path& cache, process::Interruption& interruption);

// The parts of a pipeline's source that determine its artifact, as JSON (builder-runtime --source-inputs),
// from the builder of its language that is installed with this program. `source` is a copy that nobody
// changes.
base::Result<std::string> ask_source_inputs(const spec::PipelineSpec& spec, const base::fs::path& source,
                                            const base::fs::path& cache, process::Interruption& interruption);

}  // namespace local
