// SPDX-License-Identifier: Apache-2.0
// Points in time as people and other programs read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace base {

// The present time in seconds since 1970, by the exact clock: std::time may be a few milliseconds behind it,
// and so say the second before.
std::int64_t seconds_now();

enum class Zone { utc, local };

// "2026-11-25T22:31:45Z", for Zone::utc.
inline constexpr char k_rfc3339[] = "%Y-%m-%dT%H:%M:%SZ";

// `seconds` since 1970, in a form of strftime(3) of at most 63 bytes. Nothing when the calendar does not
// reach that far.
std::optional<std::string> time_text(std::int64_t seconds, const char* form, Zone zone);

}  // namespace base
