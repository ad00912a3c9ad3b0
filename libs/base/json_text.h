// SPDX-License-Identifier: Apache-2.0
// JSON as text, also of strings that are not UTF-8, as names of files and what a tool prints may be: U+FFFD
// stands for what is not.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace base {

// In one line, without its end.
std::string json_text(const nlohmann::json& json);
std::string json_text(const nlohmann::ordered_json& json);

// In lines indented by two spaces, with the end of the last one.
std::string json_lines(const nlohmann::json& json);
std::string json_lines(const nlohmann::ordered_json& json);

}  // namespace base
