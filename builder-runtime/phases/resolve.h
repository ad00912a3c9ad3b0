// SPDX-License-Identifier: Apache-2.0
// The second phase: what has to be installed or compiled, and the key that stands for it.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/language.h"

namespace builder {

base::Result<Plan> resolve(const Source& source, const Tools& tools);

}  // namespace builder
