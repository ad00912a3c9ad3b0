// SPDX-License-Identifier: Apache-2.0
// pdm.lock (formats 4.0 to 4.5): pdm-project.org, "Lock file".
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"

namespace builder::python {

base::Result<RequirementList> read_pdm_lock(const LockRequest& request);
// Of [tool.pdm.resolution.overrides], for a project without a lock.
base::Result<std::vector<std::string>> pdm_overrides(const data::Value& project);

}  // namespace builder::python
