// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace builder::python {

// The text of read_imports.py, which says what it does.
extern const char k_read_imports[];

}  // namespace builder::python
