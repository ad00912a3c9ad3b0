// SPDX-License-Identifier: Apache-2.0
// Go: a package main of the source becomes one program, static where there is no C in it.
#pragma once

#include "builder-runtime/languages/language.h"

namespace builder::go {

Language language();

// [go] of a source's settings.
base::Status read_settings(TableReader& reader, SourceSettings& settings);

}  // namespace builder::go
