// SPDX-License-Identifier: Apache-2.0
// In which order pipelines are submitted: Pachyderm refuses an input that is not there yet.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/cluster_options.h"

namespace commands {

// The pipelines, as places in the list, each behind those whose results it reads. Two pipelines of one name
// and a cycle are errors.
base::Result<std::vector<std::size_t>> submission_order(const std::vector<LoadedPipeline>& pipelines);

}  // namespace commands
