// SPDX-License-Identifier: Apache-2.0
// The hidden folder that pachbuild keeps in an output folder: by it the folder is known again, and it is
// never input.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "contract/layout.h"

namespace local {

inline constexpr const auto& k_own_folder = contract::k_output_own_folder;
// The file in it that says so.
inline constexpr const auto& k_own_mark = contract::k_output_mark;

// Whether `folder` is such a folder, and not one that somebody else has given this name.
bool is_own_folder(const base::fs::path& folder);

// A file of a datum that would be in our folder, as an error.
base::Status check_reserved(const std::string& path);

// The text of a file in it, and what the file `name` in it holds: null when it is missing or was not written
// by pachbuild. Whoever made the folder may have put anything there, so what is in it is checked before it is
// used.
std::string to_own_text(const nlohmann::json& content);
nlohmann::json read_own_file(const base::fs::path& folder, const std::string& name);

// Whether a path from such a file stays below the output folder, and out of the folder that is ours.
bool is_output_path(const std::string& path);

}  // namespace local
