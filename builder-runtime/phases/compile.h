// SPDX-License-Identifier: Apache-2.0
// The third phase: the bundle, from the cache or made now, and the one that it lies on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/language.h"
#include "contract/build_record.h"

namespace builder {

// All that the output folder gets, but the shim.
struct Artifact {
  contract::BuildRecord record;
  Start start;
  fs::path bundles;                     // the folder of the cache that has their files
  std::vector<contract::Bundle> added;  // those that were made now
};

// Nothing but the name of what changed when an input is no longer what it was when the key was made: what was
// built may be of neither.
struct Compiled {
  std::optional<Artifact> artifact;
  std::string changed;
};

base::Result<Compiled> compile(const Plan& plan, const Tools& tools);

}  // namespace builder
