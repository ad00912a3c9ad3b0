// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace spec {

// A length of time as Go's time.ParseDuration reads it ("90s", "1h30m", "1.5h", "300ms"), but not a negative
// one. Every length that protobuf's JSON writes ("3600s", "0.5s") is one too.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// How parse_duration() takes what a person may have meant by a text that it refuses: "5m" for "5 min",
// "1h30m" for "1 hour, 30 minutes", "48h" for "2d", "300s" for "300". Empty where that is not clear.
std::string meant_duration(std::string_view text);

// What parse_duration() gives, as protobuf's JSON has it: "5400s", "0.5s".
std::string in_seconds(std::chrono::nanoseconds duration);

// Whether protobuf's JSON takes the text, which parse_duration() can read, as it is.
bool is_in_seconds(std::string_view text);

}  // namespace spec
