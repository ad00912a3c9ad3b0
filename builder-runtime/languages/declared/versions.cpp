// SPDX-License-Identifier: Apache-2.0
// Ranges are those of npm's semver: alternatives between "||", each of comparators that all have to hold;
// "^", "~", "x" and "1.2 - 2.0" are short for two. Pre-releases count as the release that they come before.
#include "builder-runtime/languages/declared/versions.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.h"

namespace builder::declared {
namespace {

using Numbers = std::vector<std::uint64_t>;

// "v18.2.1-rc.1+build" as {18, 2, 1}; "18.x" and "18" as {18}, "*" as none at all.
std::optional<Numbers> read_version(std::string_view text) {
  text = base::trim(text);
  if (text.starts_with('v') || text.starts_with('=')) text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("-+ "));
  Numbers numbers;
  if (text.empty()) return std::nullopt;
  for (const auto& part : base::split(text, '.')) {
    if (part == "x" || part == "X" || part == "*") break;
    const auto number = base::parse_number(part);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

bool has_prefix(const Numbers& version, const Numbers& prefix, std::size_t parts) {
  const auto count = std::min(parts, prefix.size());
  if (version.size() < count) return false;
  return std::equal(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(count), version.begin());
}

// With zeros for what is not there.
bool is_less(Numbers a, Numbers b) {
  const auto parts = std::max(a.size(), b.size());
  a.resize(parts);
  b.resize(parts);
  return a < b;
}

// The least version behind all that begin with these numbers.
Numbers after(Numbers numbers) {
  if (!numbers.empty()) ++numbers.back();
  return numbers;
}

struct Range {
  Numbers from;
  std::optional<Numbers> below;  // empty: no upper limit
  [[nodiscard]] bool contains(const Numbers& version) const {
    return !is_less(version, from) && (!below || is_less(version, *below));
  }
};

Range range_of_prefix(const Numbers& numbers) {
  return numbers.empty() ? Range{} : Range{numbers, after(numbers)};
}

// "^1.2.3": up to the next change of the first number that is not zero.
Range compatible(const Numbers& numbers) {
  Numbers fixed;
  for (const auto number : numbers) {
    fixed.push_back(number);
    if (number != 0) break;
  }
  return numbers.empty() ? Range{} : Range{numbers, after(fixed)};
}

// "~1.2.3": up to the next minor version.
Range near(const Numbers& numbers) {
  Numbers fixed = numbers;
  fixed.resize(std::min<std::size_t>(fixed.size(), 2));
  return numbers.empty() ? Range{} : Range{numbers, after(fixed)};
}

// The least version of those that ">1.2" or ">1.2.3" mean.
Numbers above(Numbers numbers) {
  if (numbers.size() < 3) return after(std::move(numbers));
  numbers.push_back(1);
  return numbers;
}

std::optional<Range> range_of(std::string_view comparator) {
  constexpr std::array<std::string_view, 6> k_operators = {">=", "<=", ">", "<", "^", "~"};
  const auto* const found = std::find_if(k_operators.begin(), k_operators.end(),
                                         [&](std::string_view sign) { return comparator.starts_with(sign); });
  const std::string_view sign = found == k_operators.end() ? std::string_view() : *found;
  const auto numbers = read_version(comparator.substr(sign.size()));
  if (!numbers) return std::nullopt;
  if (sign == ">=") return Range{*numbers, std::nullopt};
  if (sign == ">") return Range{above(*numbers), std::nullopt};
  if (sign == "<") return Range{{}, numbers};
  if (sign == "<=") return Range{{}, after(*numbers)};
  if (sign == "^") return compatible(*numbers);
  return sign == "~" ? near(*numbers) : range_of_prefix(*numbers);
}

// The words of an alternative; a sign that stands alone belongs to the version behind it.
std::vector<std::string> comparators_of(std::string_view text) {
  std::vector<std::string> joined;
  bool is_open = false;
  for (const auto& word : base::words(text)) {
    if (is_open) {
      joined.back() += word;
    } else {
      joined.push_back(word);
    }
    is_open = word.find_first_not_of("<>=^~") == std::string::npos;
  }
  return joined;
}

std::optional<bool> fits_all(const Numbers& version, std::string_view text) {
  auto comparators = comparators_of(text);
  if (comparators.size() == 3 && comparators[1] == "-")
    comparators = {">=" + comparators[0], "<=" + comparators[2]};
  bool fits = true;
  for (const auto& comparator : comparators) {
    const auto range = range_of(comparator);
    if (!range) return std::nullopt;
    fits = fits && range->contains(version);
  }
  return fits;
}

std::optional<bool> fits_range(const Numbers& version, std::string_view text) {
  bool fits = false;
  while (true) {
    const auto end = text.find("||");
    const auto one = fits_all(version, text.substr(0, end));
    if (!one) return std::nullopt;
    fits = fits || *one;
    if (end == std::string_view::npos) return fits;
    text.remove_prefix(end + 2);
  }
}

// "ruby-3.1.2" and "go1.21" as their versions.
std::string_view without_name(std::string_view text) {
  text = base::trim(text);
  const auto digit = text.find_first_of("0123456789");
  const bool has_name =
      digit != std::string_view::npos && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
  return has_name ? text.substr(digit) : text;
}

}  // namespace

std::optional<Comparison> comparison_of(std::string_view word) {
  constexpr std::array k_words = {
      std::pair("prefix", Comparison::prefix), std::pair("minor", Comparison::minor),
      std::pair("at-least", Comparison::at_least), std::pair("semver-range", Comparison::semver_range)};
  const auto* const found =
      std::find_if(k_words.begin(), k_words.end(), [&](const auto& row) { return row.first == word; });
  return found == k_words.end() ? std::nullopt : std::optional(found->second);
}

std::optional<bool> version_fits(std::string_view found, std::string_view wanted, Comparison comparison) {
  const auto version = read_version(found);
  if (!version || version->empty()) return std::nullopt;
  if (comparison == Comparison::semver_range) return fits_range(*version, wanted);
  const auto numbers = read_version(without_name(wanted));
  if (!numbers) return std::nullopt;
  if (comparison == Comparison::at_least) return !is_less(*version, *numbers);
  return has_prefix(*version, *numbers, comparison == Comparison::minor ? 2 : numbers->size());
}

}  // namespace builder::declared
