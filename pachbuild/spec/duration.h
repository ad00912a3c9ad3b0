// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace spec {

// A length of time as Go's time.ParseDuration reads it ("90s", "1h30m", "1.5h", "300ms"), but not a negative
// one. Every length that protobuf's JSON writes ("3600s", "0.5s") is one too.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace spec
