// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949) as this program writes it: texts, whole numbers, true, false and null, in arrays and maps
// of known sizes. Not JSON, since paths and arguments are bytes. What a worker says and what is in a cache
// may be somebody else's: the library's reader calls itself for all that is nested, and makes any number of a
// fraction.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace local {

std::string to_cbor(const nlohmann::json& value);

// Nothing for what to_cbor() cannot have given.
std::optional<nlohmann::json> from_cbor(std::string_view bytes);

// The same behind its digest, for files that are kept: nothing for one that was changed since.
std::string to_sealed_cbor(const nlohmann::json& value);
std::optional<nlohmann::json> from_sealed_cbor(std::string_view bytes);

// The largest of them: one can have a few million datums or outputs.
inline constexpr std::uint64_t k_largest_sealed_file = std::uint64_t{1} << 30;

// Keeps a map, with the "version" of what it means, for this user only.
base::Status save_sealed(const base::fs::path& file, int version, nlohmann::json map);
// Nothing for a file that is missing, was changed since or has another version.
std::optional<nlohmann::json> load_sealed(const base::fs::path& file, int version);

}  // namespace local
