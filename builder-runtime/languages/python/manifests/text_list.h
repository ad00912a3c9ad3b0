// SPDX-License-Identifier: Apache-2.0
// Lists of texts as setup.py writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace builder::python {

// The texts of a list or tuple; `text` begins with its bracket, and anything may follow the closing one.
// Comments are skipped, and texts without a comma between them are one, as in Python. Nothing when the list
// has anything that is not a plain text (a name, a call, an escape), or does not end.
std::optional<std::vector<std::string>> texts_of_list(std::string_view text);

}  // namespace builder::python
