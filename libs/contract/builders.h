// SPDX-License-Identifier: Apache-2.0
// Declared builders: folders with a builder.toml (docs/builder-toml.md). Where the official ones are
// installed, and what a builder may be called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace contract {

// What makes a folder a declared builder.
inline constexpr char k_builder_file[] = "builder.toml";

// The label of an image whose builder is one, and its value.
inline constexpr char k_builder_label[] = "io.pachbuild.builder";
inline constexpr char k_builder_label_value[] = "declared";

// A lower-case letter, then lower-case letters, digits and '-'; not the name of a folder that a cache has for
// itself, since a language's entries are in the cache's folder of its name.
bool is_builder_name(std::string_view name);

// The folder of the installed builders, of programs in the folder `own`: "share/pachbuild/builders" beside
// it.
base::fs::path builders_folder(const base::fs::path& own);

// The names of the builders in such a folder, sorted; none where it does not exist.
std::vector<std::string> installed_builders(const base::fs::path& folder);

}  // namespace contract
