// SPDX-License-Identifier: Apache-2.0
// The names that templates may have in braces, and where (docs/builder-toml.md, "Texts").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/description.h"

namespace builder::declared {

// The setting that every language with a program of the source's has.
inline constexpr char k_program_setting[] = "program";

// Which names have a meaning.
struct Names {
  std::vector<std::string> known;
  const std::optional<Pattern>* groups = nullptr;  // and those of this pattern's groups
  std::map<std::string, std::string> reasons;      // why others have none here
};

const Names& check_names();
const Names& words_names();
const Names& start_names();
const Names& start_variable_names();
const Names& link_names();
Names layer_names(const LayerDescription& layer, bool is_second);

// An error of kind bad_input without a place where the name has no meaning.
base::Status check_name(const Name& name, const Names& names,
                        const std::map<std::string, std::string>& settings);

}  // namespace builder::declared
