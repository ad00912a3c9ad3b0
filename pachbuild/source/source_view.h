// SPDX-License-Identifier: Apache-2.0
// A source as the check of a pipeline's commands looks at it.
#pragma once

#include "pachbuild/spec/command_files.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace source {

spec::SourceView view_of(const spec::Build& build);

}  // namespace source
