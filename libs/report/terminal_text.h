// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace report {

enum class Colours { keep, drop };

// What a program printed, as it may be written to a person's terminal: lines, tabs and colours. Of a line
// that a carriage return began again only the last state stays; other control sequences are left out, and
// single control characters are written as \x07. Colours end with the text.
std::string for_terminal(std::string_view text, Colours colours);
// With the colours that the person wants.
std::string for_terminal(std::string_view text);

}  // namespace report
