// SPDX-License-Identifier: Apache-2.0
// Go: a package main of the source becomes one program, static where there is no C in it.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::go {

Language language();

bool may_be(const fs::path& source);
bool may_be_below(const fs::path& source);
base::Result<Findings> look(const Source& source, const process::Environment& environment);

// [go] of a source's settings.
base::Status read_settings(TableReader& reader, SourceSettings& settings);

}  // namespace builder::go
