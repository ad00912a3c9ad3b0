// SPDX-License-Identifier: Apache-2.0
// How the program is started: [start] for one source.
#pragma once

#include <string>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"

namespace builder::declared {

// `has_bundle`: there is a layer, so that {env} means something.
base::Result<Start> start_of(const Facts& facts, bool has_bundle);

// The text of the bundle's contract::k_variables_file; empty if there are no variables.
std::string bundle_variables_text(const Facts& facts);

}  // namespace builder::declared
