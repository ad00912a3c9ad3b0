// SPDX-License-Identifier: Apache-2.0
// Places in a text, as errors name them.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace base {

// A line and a column, both from 1; a column counts characters, not bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  auto operator<=>(const Position&) const = default;
};

// "LINE:COLUMN".
std::string to_text(Position position);

// The positions of the bytes of a UTF-8 text, which must outlive it. Asked in the order of the text it reads
// the text once.
class PositionFinder {
 public:
  explicit PositionFinder(std::string_view text) : m_text(text) {}
  // An offset beyond the text is that of its end.
  Position at(std::size_t offset);

 private:
  std::string_view m_text;
  std::size_t m_offset = 0;
  Position m_position;
};

}  // namespace base
