// SPDX-License-Identifier: Apache-2.0
// JSON as protobuf writes it.
#pragma once

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace cluster {

// A number of 64 bits is text there; one that is 0 may be left out. What is no number throws, as all else
// that is not what it should be.
inline std::uint64_t number_in(const nlohmann::json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end()) return 0;
  if (!field->is_string()) return field->get_ref<const nlohmann::json::number_unsigned_t&>();
  const auto& text = field->get_ref<const std::string&>();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace cluster
