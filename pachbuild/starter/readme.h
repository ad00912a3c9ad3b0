// SPDX-License-Identifier: Apache-2.0
// Fills in the files of starter_files.h. Private to this library.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace starter {

// The starter file with values in place of "@NAME@".
std::string filled_in(std::string_view file, const std::map<std::string, std::string>& values);

// A spec as a file: Pachyderm's order of fields.
std::string spec_text(const nlohmann::json& spec);

// "Python" for "python".
std::string language_title(const std::string& name);

// Words as a line that a shell takes.
std::string as_line(const std::vector<std::string>& words);

}  // namespace starter
