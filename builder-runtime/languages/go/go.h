// SPDX-License-Identifier: Apache-2.0
// Go: a module at the root with package main in it becomes one static program.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::go {

bool may_be(const fs::path& source);
base::Result<Findings> look(const Source& source, const process::Environment& environment);

inline constexpr Language k_language = {.name = "go", .program = "go.mod", .may_be = may_be, .look = look};

}  // namespace builder::go
