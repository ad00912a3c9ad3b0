// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace builder::python {

// The text of compile_bytecode.py, which says what it does.
extern const char k_compile_bytecode[];

}  // namespace builder::python
