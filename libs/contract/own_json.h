// SPDX-License-Identifier: Apache-2.0
// JSON that our programs write and read again, and that others may have changed in between.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace contract {

// Discarded where `text` is no JSON, or has what ours never has: fractions, which the library turns into any
// whole number, and more levels than a few, for each of which it calls itself.
nlohmann::json parse_own_json(const std::string& text);

}  // namespace contract
