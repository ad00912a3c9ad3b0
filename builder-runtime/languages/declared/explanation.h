// SPDX-License-Identifier: Apache-2.0
// What a build would do and why, as JSON: for `builder-runtime --explain`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/languages/declared/layer_inputs.h"

namespace builder::declared {

base::Result<std::string> explanation_of(const Facts& facts, const std::string& builder_digest,
                                         const std::vector<FoundTool>& found,
                                         const std::vector<PlannedLayer>& layers, const Start& start,
                                         const Tools& tools);

}  // namespace builder::declared
