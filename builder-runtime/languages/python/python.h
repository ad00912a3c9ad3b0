// SPDX-License-Identifier: Apache-2.0
// Python: main.py is the program, requirements.txt (if there is one) says what to install.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::python {

bool may_be(const fs::path& source);
base::Result<std::string> describe(const Source& source);
base::Result<Plan> plan(const Source& source, const Tools& tools);

inline constexpr Language k_language = {
    .name = "python", .program = "main.py", .may_be = may_be, .describe = describe, .plan = plan};

}  // namespace builder::python
