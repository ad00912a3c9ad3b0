// SPDX-License-Identifier: Apache-2.0
#include "base/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>

namespace {

TEST(TimeText, IsInTheZoneThatIsAskedFor) {
  const char* const before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TZ", "UTC-3", 1);  // three hours ahead
  ::tzset();
  EXPECT_EQ(base::time_text(0, base::k_rfc3339, base::Zone::utc), "1970-01-01T00:00:00Z");
  EXPECT_EQ(base::time_text(1'795'732'305, base::k_rfc3339, base::Zone::utc), "2026-11-26T22:31:45Z");
  EXPECT_EQ(base::time_text(1'795'732'305, "%Y-%m-%d %H:%M", base::Zone::local), "2026-11-27 01:31");
  if (before == nullptr) {
    ::unsetenv("TZ");
  } else {
    ::setenv("TZ", kept.c_str(), 1);
  }
  ::tzset();
}

TEST(TimeText, IsNothingBeyondTheCalendar) {
  for (const auto zone : {base::Zone::utc, base::Zone::local})
    EXPECT_EQ(base::time_text(std::numeric_limits<std::int64_t>::max(), base::k_rfc3339, zone), std::nullopt);
}

}  // namespace
