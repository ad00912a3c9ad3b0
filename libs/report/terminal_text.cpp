// SPDX-License-Identifier: Apache-2.0
#include "report/terminal_text.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "report/terminal.h"

namespace report {
namespace {

constexpr char k_escape = '\x1b';
constexpr std::string_view k_reset = "\x1b[0m";

// The length of the control sequence that `text` begins with (ECMA-48), 0 when it is none, or has no end.
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2 || text[0] != k_escape) return 0;
  if (text[1] == '[') {
    const auto end = text.find_first_not_of("0123456789;:<=>? !\"#$%&'()*+,-./", 2);
    return end == std::string_view::npos || text[end] < '@' || text[end] > '~' ? 0 : end + 1;
  }
  // A string: of the terminal's title, a link, or for the device. It ends with ESC \ or BEL.
  if (base::contains("]P_^X", text[1])) {
    const auto bell = text.find('\a', 2);
    const auto end = text.find("\x1b\\", 2);
    if (std::min(bell, end) == std::string_view::npos) return 0;
    return bell < end ? bell + 1 : end + 2;
  }
  return 0;
}

bool is_colour(std::string_view sequence) {
  return sequence.back() == 'm' && sequence.find_first_not_of("0123456789;:", 2) == sequence.size() - 1;
}

// What is left of a line that is written over itself.
std::string_view last_state(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const auto begin = line.rfind('\r');
  return begin == std::string_view::npos ? line : line.substr(begin + 1);
}

}  // namespace

std::string for_terminal(std::string_view text, Colours colours) {
  std::string result;
  bool is_coloured = false;
  const auto add_line = [&](std::string_view line) {
    while (!line.empty()) {
      const auto end = std::min(line.find_first_of("\t\x1b"), line.size());
      result += base::printable(line.substr(0, end));
      line.remove_prefix(end);
      if (line.empty()) return;
      const auto length = sequence_length(line);
      if (line.front() == '\t') {
        result += '\t';
      } else if (length == 0) {
        result += base::printable(line.substr(0, 1));
      } else if (colours == Colours::keep && is_colour(line.substr(0, length))) {
        result += line.substr(0, length);
        is_coloured = line.substr(0, length) != k_reset && line.substr(0, length) != "\x1b[m";
      }
      line.remove_prefix(std::max<std::size_t>(length, 1));
    }
  };
  while (true) {
    const auto end = text.find('\n');
    add_line(last_state(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    result += '\n';
    text.remove_prefix(end + 1);
  }
  if (is_coloured) result += k_reset;
  return result;
}

std::string for_terminal(std::string_view text) {
  return for_terminal(text, has_colours() ? Colours::keep : Colours::drop);
}

}  // namespace report
