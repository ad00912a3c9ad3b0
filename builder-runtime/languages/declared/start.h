// SPDX-License-Identifier: Apache-2.0
// How the program is started: [start] for one source.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"

namespace builder::declared {

// `has_bundle`: there is a layer, so that {env} means something.
base::Result<Start> start_of(const Facts& facts, bool has_bundle);

// The variables that the bundle sets for programs that are started in it, in the order of
// contract::k_variables_file; "+NAME" comes in front of a list.
std::vector<std::pair<std::string, std::string>> variables_of_bundle(const Facts& facts);
// The same as the text of that file; empty: there are none.
std::string bundle_variables_text(const Facts& facts);

}  // namespace builder::declared
