// SPDX-License-Identifier: Apache-2.0
// The last phase: the artifact into the output folder.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/phases/compile.h"
#include "builder-runtime/tools.h"

namespace builder {

// What an earlier build left there is replaced; files that are none of an artifact's stay. At every moment
// the folder either has no run.sh or a whole artifact.
base::Status emit(const Artifact& artifact, const Source& source, const Tools& tools);

}  // namespace builder
