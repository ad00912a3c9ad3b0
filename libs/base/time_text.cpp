// SPDX-License-Identifier: Apache-2.0
#include "base/time_text.h"

#include <array>
#include <chrono>
#include <ctime>

namespace base {

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<std::string> time_text(std::int64_t seconds, const char* form, Zone zone) {
  const std::time_t time = seconds;
  std::tm parts{};
  if ((zone == Zone::utc ? ::gmtime_r(&time, &parts) : ::localtime_r(&time, &parts)) == nullptr)
    return std::nullopt;
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), form, &parts));
}

}  // namespace base
