// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.h"

#include <nlohmann/json.hpp>

namespace base {
namespace {

constexpr int k_one_line = -1;
constexpr int k_indented = 2;

template <class Json>
std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace

std::string json_text(const nlohmann::json& json) { return text_of(json, k_one_line); }
std::string json_text(const nlohmann::ordered_json& json) { return text_of(json, k_one_line); }

std::string json_lines(const nlohmann::json& json) { return text_of(json, k_indented) + "\n"; }
std::string json_lines(const nlohmann::ordered_json& json) { return text_of(json, k_indented) + "\n"; }

}  // namespace base
