// SPDX-License-Identifier: Apache-2.0
// Instead of the other phases: the source's own build.sh.
#pragma once

#include "base/result.h"
#include "builder-runtime/settings.h"
#include "builder-runtime/tools.h"

namespace builder {

base::Status run_build_script(const Settings& settings, const Tools& tools);

}  // namespace builder
