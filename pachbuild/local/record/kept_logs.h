// SPDX-License-Identifier: Apache-2.0
// The logs of datums, <cache>/run/<pipeline>/logs/<key>.log: kept as long as their datums are those of the
// last run, and no longer than the limit of the cache lets them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "pachbuild/local/results/result_store.h"

namespace local {

// The logs of all pipelines.
std::vector<ResultStore::KeptFile> all_logs(const base::fs::path& cache);

// Removes the logs in the folder of one pipeline but those of the results `keys`.
void keep_logs(const base::fs::path& folder, const std::set<std::string>& keys);

}  // namespace local
