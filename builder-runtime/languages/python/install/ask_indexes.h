// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace builder::python {

// The text of ask_indexes.py, which says what it does.
extern const char k_ask_indexes[];

}  // namespace builder::python
