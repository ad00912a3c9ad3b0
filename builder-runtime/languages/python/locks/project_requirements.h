// SPDX-License-Identifier: Apache-2.0
// The requirements of PEP 621's [project] and PEP 735's [dependency-groups].
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"

namespace builder::python {

// Those of [project], with the extras and groups that are asked for.
base::Result<std::vector<Wanted>> wanted_by_project(const LockRequest& request);

}  // namespace builder::python
