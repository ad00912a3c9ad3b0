// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/duration.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace spec {
namespace {

// The units of Go's time.ParseDuration in nanoseconds; the longer of two with the same start comes first.
// The micro sign has two code points, U+00B5 and U+03BC.
constexpr std::array<std::pair<std::string_view, long double>, 8> k_units = {{
    {"ns", 1e0L},
    {"us", 1e3L},
    {"\xC2\xB5s", 1e3L},
    {"\xCE\xBCs", 1e3L},
    {"ms", 1e6L},
    {"s", 1e9L},
    {"m", 60e9L},
    {"h", 3600e9L},
}};

bool is_digit(std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

// Takes the digits at the start of `text` and gives their number; `scale` becomes ten to their count.
long double take_digits(std::string_view& text, long double& scale) {
  long double number = 0;
  scale = 1;
  for (; is_digit(text); text.remove_prefix(1)) {
    number = number * 10 + (text[0] - '0');
    scale *= 10;
  }
  return number;
}

std::optional<long double> take_amount(std::string_view& text) {
  if (!is_digit(text) && !(text.starts_with('.') && is_digit(text.substr(1)))) return std::nullopt;
  long double scale = 1;
  long double amount = take_digits(text, scale);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const long double fraction = take_digits(text, scale);
    amount += fraction / scale;
  }
  return amount;
}

std::optional<long double> take_unit(std::string_view& text) {
  for (const auto& [name, nanoseconds] : k_units) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return nanoseconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr std::size_t k_longest = 100;  // so that no number overflows a long double
  constexpr auto k_limit = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > k_longest) return std::nullopt;
  long double total = 0;
  while (!text.empty()) {
    const auto amount = take_amount(text);
    if (!amount) return std::nullopt;
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    total += *amount * *unit;
  }
  if (total > k_limit) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

}  // namespace spec
