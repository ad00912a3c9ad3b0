// SPDX-License-Identifier: Apache-2.0
#include "base/position.h"

#include <algorithm>

namespace base {

std::string to_text(Position position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

Position PositionFinder::at(std::size_t offset) {
  offset = std::min(offset, m_text.size());
  if (offset < m_offset) {
    m_offset = 0;
    m_position = {};
  }
  for (; m_offset < offset; ++m_offset) {
    const auto byte = static_cast<unsigned char>(m_text[m_offset]);
    if (byte == '\n') {
      ++m_position.line;
      m_position.column = 1;
    } else if ((byte & 0xc0U) != 0x80U) {  // the first byte of a character
      ++m_position.column;
    }
  }
  return m_position;
}

}  // namespace base
