// SPDX-License-Identifier: Apache-2.0
// A language whose builder is a folder with a builder.toml. docs/builder-toml.md.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "builder-runtime/languages/language.h"

namespace builder::declared {

// That of the builder in this folder.
base::Result<std::shared_ptr<const Language>> language_of_folder(const fs::path& folder);

// That of an installed builder, which has to be called like its folder.
base::Result<std::shared_ptr<const Language>> installed_language(const fs::path& builders,
                                                                 const std::string& name);

}  // namespace builder::declared
