// SPDX-License-Identifier: Apache-2.0
// How the program is started: [start] for one source.
#pragma once

#include <string>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"

namespace builder::declared {

// `has_bundle`: there is a layer, so that {env} means something.
base::Result<Start> start_of(const Facts& facts, bool has_bundle);

// What the bundle says to programs that are started in it (contract::k_variables_file); empty: nothing.
std::string variables_of_bundle(const Facts& facts);

}  // namespace builder::declared
