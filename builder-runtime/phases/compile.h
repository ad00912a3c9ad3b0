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

// Everything for the output folder except the shim.
struct Artifact {
  contract::BuildRecord record;
  Start start;
  fs::path bundles;                     // the folder of the cache that has their files
  std::vector<contract::Bundle> added;  // those that were made now
};

// Has no artifact, only the name of the changed input, when an input changed after the key was made: the
// result may then be a mixture of old and new.
struct Compiled {
  std::optional<Artifact> artifact;
  std::vector<std::string> modules;  // that its programs can import
  std::string changed;
};

base::Result<Compiled> compile(const Plan& plan, const Tools& tools);

}  // namespace builder
