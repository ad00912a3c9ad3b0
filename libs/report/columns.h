// SPDX-License-Identifier: Apache-2.0
// How wide text is on a terminal: East Asian characters take two columns, accents that combine none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace report {

// The columns of printable text (base::printable(), or for_terminal() without colours).
std::size_t columns_of(std::string_view text);

// The beginning of `text` that fits into `columns`, with "…" at its end where something is missing.
std::string cut_to_columns(std::string_view text, std::size_t columns);

// The same without its beginning: of a path the end says more.
std::string cut_front_to_columns(std::string_view text, std::size_t columns);

}  // namespace report
