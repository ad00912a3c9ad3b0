// SPDX-License-Identifier: Apache-2.0
// Reads builder.toml. Whatever is wrong is an error with the file's line and column; nothing is passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/description.h"

namespace builder::declared {

// The builder in a folder. `taken` are names that no builder may have.
base::Result<Description> read_builder(const fs::path& folder, const std::vector<std::string>& taken);

// The same of a text; `file` is what errors call it.
base::Result<Description> parse_builder(std::string_view text, const std::string& file,
                                        const std::vector<std::string>& taken);

}  // namespace builder::declared
