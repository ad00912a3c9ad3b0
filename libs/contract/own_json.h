// SPDX-License-Identifier: Apache-2.0
// JSON that our programs write and read again, and that others may have changed in between.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace contract {

// Discarded where `text` is no JSON, or has what ours never has: fractions, which the library turns into any
// whole number, and more levels than these, for each of which it calls itself.
inline nlohmann::json parse_own_json(const std::string& text) {
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
