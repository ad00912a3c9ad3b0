// SPDX-License-Identifier: Apache-2.0
// JSON as protobuf writes it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace cluster {

// A number of 64 bits is text there; one that is 0 may be left out.
inline std::uint64_t number_in(const nlohmann::json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end()) return 0;
  if (!field->is_string()) return field->get<std::uint64_t>();
  return std::strtoull(field->get_ref<const std::string&>().c_str(), nullptr, 10);
}

}  // namespace cluster
