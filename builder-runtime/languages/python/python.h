// SPDX-License-Identifier: Apache-2.0
// Python: main.py is the program, requirements.txt (if there is one) says what to install.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::python {

bool may_be(const fs::path& source);
base::Result<Findings> look(const Source& source, const process::Environment& environment);

inline constexpr Language k_language = {
    .name = "python", .program = "main.py", .may_be = may_be, .look = look};

}  // namespace builder::python
