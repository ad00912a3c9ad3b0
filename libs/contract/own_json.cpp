// SPDX-License-Identifier: Apache-2.0
#include "contract/own_json.h"

#include <nlohmann/json.hpp>

namespace contract {

nlohmann::json parse_own_json(const std::string& text) {
  constexpr int k_deepest = 16;
  using Event = nlohmann::json::parse_event_t;
  bool is_own = true;
  const auto keeps = [&](int depth, Event /*event*/, const nlohmann::json& value) {
    if (depth > k_deepest || value.is_number_float()) is_own = false;
    return is_own;
  };
  auto json = nlohmann::json::parse(text, keeps, /*allow_exceptions=*/false);
  return is_own ? json : nlohmann::json(nlohmann::json::value_t::discarded);
}

}  // namespace contract
