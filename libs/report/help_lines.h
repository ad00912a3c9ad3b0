// SPDX-License-Identifier: Apache-2.0
// Help texts in lines that fit on a terminal of usual width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace report {

inline constexpr std::size_t k_help_columns = 80;

// The words of a text in lines of at most `columns`, where words allow it; without a newline at the end.
std::string in_lines(std::string_view text, std::size_t columns);

// A text that is written in lines of any length, in lines of k_help_columns: paragraphs, names with their
// meaning beside them ("  NAME   meaning"), and the sentences below "Exit codes:". Other indented lines are
// examples, which stay as they are.
std::string fold_help(const std::string& text);

}  // namespace report
