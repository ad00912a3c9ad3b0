// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949) as this program writes it: texts, whole numbers, true, false and null, in arrays and maps
// of known sizes. Not JSON, since paths and arguments are bytes. What a worker says and what is in a cache
// may be somebody else's: the library's reader calls itself for all that is nested, and makes any number of a
// fraction.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace local {

std::string to_cbor(const nlohmann::json& value);

// Nothing for what to_cbor() cannot have given.
std::optional<nlohmann::json> from_cbor(std::string_view bytes);

}  // namespace local
