// SPDX-License-Identifier: Apache-2.0
#include "base/time_text.h"

#include <array>
#include <ctime>

namespace base {

std::optional<std::string> time_text(std::int64_t seconds, const char* form, Zone zone) {
  const std::time_t time = seconds;
  std::tm parts{};
  if ((zone == Zone::utc ? ::gmtime_r(&time, &parts) : ::localtime_r(&time, &parts)) == nullptr)
    return std::nullopt;
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), form, &parts));
}

}  // namespace base
