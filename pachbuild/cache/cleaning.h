// SPDX-License-Identifier: Apache-2.0
// Removes kinds of the cache while builds and runs go on: what one of them uses stays, and none waits for
// longer than it takes to rename. What goes is moved into a workspace first, so whoever is stopped in between
// leaves a whole cache; the rest of that workspace goes with the next build or cleaning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/cache/kinds.h"

namespace cached {

struct Cleaned {
  const Kind* kind = nullptr;
  std::size_t entries = 0;  // that went, or would go
  std::uint64_t bytes = 0;  // on the disk
  std::size_t kept = 0;     // that stay
  std::string reason;       // why: "a build is running"; empty: none stays
};

enum class Mode { remove, only_tell };

// Calls `tell` for each of the kinds (of kinds(), in that order) when it is done. What cannot be removed is
// an error in the end; all else is removed nevertheless.
base::Status clean(const base::fs::path& cache, const std::vector<const Kind*>& kinds, Mode mode,
                   const std::function<void(const Cleaned&)>& tell);

}  // namespace cached
