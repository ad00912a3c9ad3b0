// SPDX-License-Identifier: Apache-2.0
// Go: a module at the root with package main in it becomes one static program.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::go {

base::Result<std::string> describe(const Source& source);
base::Result<Plan> plan(const Source& source, const Tools& tools);

inline constexpr Language k_language = {
    .name = "go", .program = "go.mod", .describe = describe, .plan = plan};

}  // namespace builder::go
