// SPDX-License-Identifier: Apache-2.0
#include "report/columns.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

namespace report {
namespace {

constexpr char k_cut[] = "…";  // one column

struct Character {
  std::size_t bytes = 0;
  std::size_t columns = 0;
};

// What `text`, which is not empty, begins with.
Character first_of(std::string_view text) {
  utf8proc_int32_t point = -1;
  const auto length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),  // NOLINT: bytes for C
                       static_cast<utf8proc_ssize_t>(text.size()), &point);
  if (length <= 0) return {1, 1};
  return {static_cast<std::size_t>(length), static_cast<std::size_t>(std::max(utf8proc_charwidth(point), 0))};
}

std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> characters;
  while (!text.empty()) {
    characters.push_back(first_of(text));
    text.remove_prefix(characters.back().bytes);
  }
  return characters;
}

std::size_t columns_of_all(const std::vector<Character>& characters) {
  std::size_t columns = 0;
  for (const auto& character : characters) columns += character.columns;
  return columns;
}

// The bytes of those at the beginning that fit; without one more column for the mark.
template <class Iterator>
std::size_t bytes_that_fit(const Iterator& begin, const Iterator& end, std::size_t columns) {
  std::size_t bytes = 0;
  for (auto at = begin; at != end && at->columns <= columns; ++at) {
    columns -= at->columns;
    bytes += at->bytes;
  }
  return bytes;
}

}  // namespace

std::size_t columns_of(std::string_view text) { return columns_of_all(characters_of(text)); }

std::string cut_to_columns(std::string_view text, std::size_t columns) {
  const auto characters = characters_of(text);
  if (columns_of_all(characters) <= columns) return std::string(text);
  if (columns == 0) return "";
  return std::string(text.substr(0, bytes_that_fit(characters.begin(), characters.end(), columns - 1))) +
         k_cut;
}

std::string cut_front_to_columns(std::string_view text, std::size_t columns) {
  const auto characters = characters_of(text);
  if (columns_of_all(characters) <= columns) return std::string(text);
  if (columns == 0) return "";
  const auto bytes = bytes_that_fit(characters.rbegin(), characters.rend(), columns - 1);
  auto end = text.substr(text.size() - bytes);
  // An accent without its letter would stand on the mark.
  while (!end.empty() && first_of(end).columns == 0) end.remove_prefix(first_of(end).bytes);
  return k_cut + std::string(end);
}

}  // namespace report
