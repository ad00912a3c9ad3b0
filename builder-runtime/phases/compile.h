// SPDX-License-Identifier: Apache-2.0
// The third phase: the bundle, from the cache or made now.
#pragma once

#include <optional>

#include "base/result.h"
#include "builder-runtime/languages/language.h"
#include "contract/build_record.h"

namespace builder {

// All that the output folder gets, but the shim.
struct Artifact {
  contract::BuildRecord record;
  Start start;
  std::optional<fs::path> bundle;  // a file of the cache
  bool is_new = false;             // the bundle was made now
};

base::Result<Artifact> compile(const Plan& plan, const Tools& tools);

}  // namespace builder
