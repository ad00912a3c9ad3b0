// SPDX-License-Identifier: Apache-2.0
// Datums that wrote the same path: Pachyderm fails their job.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/results/output_folder.h"

namespace local {

// The outputs that share a path with another one, or have as a file what another one has as a folder, by
// their places in `outputs`. The errors name the path and both datums.
std::map<std::size_t, base::Error> conflicts_of(const std::vector<DatumOutput>& outputs);

}  // namespace local
