// SPDX-License-Identifier: Apache-2.0
// Python: main.py is the program, requirements.txt (if there is one) says what to install.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::python {

Language language();

bool may_be(const fs::path& source);
base::Result<Findings> look(const Source& source, const process::Environment& environment);

// [python] of a source's settings.
base::Status read_settings(TableReader& reader, SourceSettings& settings);

}  // namespace builder::python
