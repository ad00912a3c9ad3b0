// SPDX-License-Identifier: Apache-2.0
// poetry.lock (formats 1.1 to 2.1) and [tool.poetry] of pyproject.toml. Sources: python-poetry.org,
// "Dependency specification" and "pyproject.toml"; the lock's format is known from locks of poetry 1.1 to 2.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"

namespace builder::python {

base::Result<RequirementList> read_poetry_lock(const LockRequest& request);
base::Result<RequirementList> read_poetry_project(const LockRequest& request);

}  // namespace builder::python
