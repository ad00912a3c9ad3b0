// SPDX-License-Identifier: Apache-2.0
// Pipfile and Pipfile.lock: pipenv.pypa.io, "Pipfile & Pipfile.lock".
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"

namespace builder::python {

base::Result<RequirementList> read_pipfile_lock(const LockRequest& request);
base::Result<RequirementList> read_pipfile(const LockRequest& request);

}  // namespace builder::python
