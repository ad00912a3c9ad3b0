// SPDX-License-Identifier: Apache-2.0
// The first phase: which language the source is in, and whether it brings scripts of its own.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/settings.h"

namespace builder {

base::Result<Source> detect(const Settings& settings);

}  // namespace builder
