// SPDX-License-Identifier: Apache-2.0
// The hidden folder that pachbuild keeps in an output folder: by it the folder is known again, and it is
// never input.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace local {

inline constexpr char k_own_folder[] = ".pachbuild";
// The file in it that says so.
inline constexpr char k_own_mark[] = "output.json";

// Whether `folder` is such a folder, and not one that somebody else has given this name.
bool is_own_folder(const base::fs::path& folder);

// A file of a datum that would be in our folder, as an error.
base::Status check_reserved(const std::string& path);

// The text of a file in it, and what such a text holds: null when it is not one.
std::string to_own_text(const nlohmann::json& content);
nlohmann::json from_own_text(const std::string& text);

}  // namespace local
