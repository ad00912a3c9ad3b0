// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/duration.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/text.h"

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

// Units as people write them, and the one of Go.
constexpr std::array<std::pair<const char*, const char*>, 5> k_written_units = {{
    {"ms msec msecs millisecond milliseconds", "ms"},
    {"s sec secs second seconds", "s"},
    {"m min mins minute minutes", "m"},
    {"h hr hrs hour hours", "h"},
    {"d day days", "d"},
}};

// Takes the characters at the start of `text` that are of `kind`, and the spaces and commas behind them.
std::string_view take_all(std::string_view& text, std::string_view kind) {
  const std::size_t end = std::min(text.find_first_not_of(kind), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(" ,", end), text.size()));
  return taken;
}

// An amount and its unit for parse_duration(); empty where the unit is unknown.
std::string in_unit_of_go(std::string_view amount, const std::string& written) {
  for (const auto& [names, unit] : k_written_units) {
    const auto all = base::words(names);
    if (std::find(all.begin(), all.end(), written) == all.end()) continue;
    if (std::string_view(unit) != "d") return std::string(amount) + unit;
    const auto days = base::parse_number(amount);
    constexpr std::uint64_t k_most_days = 100'000;
    return days && *days <= k_most_days ? std::to_string(*days * 24) + "h" : "";
  }
  return {};
}

constexpr std::size_t k_longest_duration = 100;  // so that no number overflows a long double

}  // namespace

std::string meant_duration(std::string_view text) {
  if (text.size() > k_longest_duration) return {};
  const std::string lower = base::lower(base::trim(text));
  std::string_view rest = lower;
  std::string meant;
  while (!rest.empty()) {
    const auto amount = take_all(rest, "0123456789.");
    const std::string unit(take_all(rest, "abcdefghijklmnopqrstuvwxyz"));
    // Pachyderm counts in seconds.
    const bool is_number = unit.empty() && amount == lower;
    const auto part = in_unit_of_go(amount, is_number ? "s" : unit);
    if (part.empty()) return {};
    meant += part;
  }
  return parse_duration(meant) ? meant : std::string();
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr auto k_limit = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty() || text.size() > k_longest_duration) return std::nullopt;
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

std::string in_seconds(std::chrono::nanoseconds duration) {
  constexpr std::int64_t k_second = 1'000'000'000;
  std::string text = std::to_string(duration.count() / k_second);
  if (const auto fraction = duration.count() % k_second; fraction != 0) {
    const std::string digits = std::to_string(k_second + fraction).substr(1);
    text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return text + "s";
}

bool is_in_seconds(std::string_view text) {
  constexpr std::size_t k_most_decimals = 9;
  if (!text.ends_with('s')) return false;
  text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  if (text.size() > 1 && text[0] == '0' && text[1] != '.') return false;
  return point == std::string_view::npos || text.size() - point - 1 <= k_most_decimals;
}

}  // namespace spec
