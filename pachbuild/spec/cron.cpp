// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/near.h"
#include "base/text.h"
#include "pachbuild/spec/duration.h"

namespace spec {
namespace {

constexpr char k_fields_hint[] =
    R"(write five fields (minute, hour, day of the month, month, day of the week) like "0 3 * * *", or "@every 1h")";
const std::vector<std::string> k_descriptors = {"@yearly",   "@annually", "@monthly", "@weekly", "@daily",
                                                "@midnight", "@hourly",   "@every",   "@never"};

struct Bounds {
  const char* name;
  std::int64_t least;
  std::int64_t greatest;
  std::vector<std::string_view> names;  // from the least number on
  const char* hint = "";
};

const std::array<Bounds, 5> k_bounds = {{
    {"the minute", 0, 59, {}},
    {"the hour", 0, 23, {}},
    {"the day of the month", 1, 31, {}},
    {"the month",
     1,
     12,
     {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
    {"the day of the week", 0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, "Sunday is 0 or sun"},
}};

// As Go's strconv.Atoi takes it, without negative ones: there is no '-' left in it.
std::optional<std::int64_t> number_of(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || number < 0)
    return std::nullopt;
  return number;
}

std::optional<std::int64_t> value_of(const std::string& text, const Bounds& bounds) {
  const auto name = std::find(bounds.names.begin(), bounds.names.end(), base::lower(text));
  if (name != bounds.names.end()) return bounds.least + (name - bounds.names.begin());
  return number_of(text);
}

// What is wrong with one of the ranges of a field: "5", "mon-fri", "*/15", "10-30/5".
std::optional<std::string> fault_of_range(const std::string& range, const Bounds& bounds) {
  const auto parts = base::split(range, '/');
  const auto ends = base::split(parts[0], '-');
  std::int64_t first = bounds.least;
  std::int64_t last = bounds.greatest;
  if (ends[0] != "*" && ends[0] != "?") {
    if (ends.size() > 2) return "has more than one '-'";
    const auto from = value_of(ends[0], bounds);
    const auto to = value_of(ends.back(), bounds);
    if (!from || !to)
      return base::quoted(from ? ends.back() : ends[0]) + " is not a number" +
             (bounds.names.empty() ? "" : " or name");
    first = *from;
    // "5/15" is from 5 to the end.
    if (ends.size() == 2 || parts.size() == 1) last = *to;
  }
  if (parts.size() > 2) return "has more than one '/'";
  if (parts.size() == 2) {
    const auto step = number_of(parts[1]);
    if (!step) return base::quoted(parts[1]) + " is not a number";
    if (*step == 0) return "has a step of 0";
  }
  if (first < bounds.least) return std::to_string(first) + " is less than " + std::to_string(bounds.least);
  if (last > bounds.greatest)
    return std::to_string(last) + " is more than " + std::to_string(bounds.greatest);
  if (first > last) return std::to_string(first) + " is more than " + std::to_string(last);
  return std::nullopt;
}

std::optional<CronFault> fault_of_descriptor(const std::string& text) {
  constexpr std::string_view k_every = "@every ";
  if (text.starts_with(k_every)) {
    std::string_view duration = std::string_view(text).substr(k_every.size());
    // Go takes one sign; what is less than a second counts as one.
    if (duration.starts_with('-') && !duration.starts_with("-+")) duration.remove_prefix(1);
    if (parse_duration(duration)) return std::nullopt;
    const auto meant = meant_duration(duration);
    return CronFault{"invalid duration " + base::quoted(duration),
                     meant.empty() ? R"(write "@every 90s" or "@every 24h")"
                                   : "write \"" + std::string(k_every) + meant + "\""};
  }
  if (text != "@every" && text != "@never" &&
      std::find(k_descriptors.begin(), k_descriptors.end(), text) != k_descriptors.end()) {
    return std::nullopt;
  }
  return CronFault{"is not one of " + base::join(k_descriptors, ", "),
                   text == "@every" ? R"(write "@every 90s" or "@every 24h")"
                                    : base::did_you_mean(text, k_descriptors, k_fields_hint)};
}

}  // namespace

std::optional<CronFault> fault_of_cron(const std::string& text) {
  if (base::trim(text) == "@never") return std::nullopt;
  if (text[0] == '@') return fault_of_descriptor(text);
  const auto fields = base::words(text);
  if (fields.size() != k_bounds.size()) {
    return CronFault{"has " + base::count_of(fields.size(), "field") + "; Pachyderm expects 5",
                     k_fields_hint};
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const auto& range : base::split(fields[i], ',')) {
      if (range.empty()) continue;
      if (const auto fault = fault_of_range(range, k_bounds[i])) {
        const bool is_end = k_bounds[i].hint[0] != '\0';
        return CronFault{std::string(k_bounds[i].name) + ", " + base::quoted(range) + ": " + *fault,
                         is_end ? k_bounds[i].hint : k_fields_hint};
      }
    }
  }
  return std::nullopt;
}

}  // namespace spec
