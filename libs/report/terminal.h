// SPDX-License-Identifier: Apache-2.0
// What the terminal behind standard error can do, as far as the environment tells.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace report {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

// Gives the value of an environment variable; nullptr: it is not set.
using Variable = std::function<const char*(const char*)>;
const char* own_variable(const char* name);

// Whether standard error is a terminal.
bool is_terminal();

// Whether the terminal understands control sequences: not one without a TERM, or with TERM=dumb.
bool has_control_sequences(const Variable& variable = own_variable);

// Whether colours are wanted (https://no-color.org) on such a terminal.
bool has_colours(const Variable& variable = own_variable);

// Whether the terminal is known to show hyperlinks (OSC 8). Terminals do not say so themselves: the list is
// that of the crate supports-hyperlinks, which cargo and ruff use, with its FORCE_HYPERLINK.
bool has_hyperlinks(const Variable& variable = own_variable);

// Whether lines that are too long for a narrowed window are wrapped anew. Most terminals do so; xterm and the
// console of Linux cut them.
bool wraps_anew(const Variable& variable = own_variable);

// Now; the usual size where the terminal does not tell.
TerminalSize terminal_size();

// `text` as a link to the file of this absolute path; the terminal must have hyperlinks.
std::string link_to_file(const std::string& path, const std::string& text);

}  // namespace report
