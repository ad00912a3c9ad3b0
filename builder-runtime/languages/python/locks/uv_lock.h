// SPDX-License-Identifier: Apache-2.0
// uv.lock.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/python/locks/requirement_list.h"

namespace builder::python {

// uv reads its own lock, but takes one that does not match: an error then.
base::Status check_uv_lock(const LockRequest& request);

}  // namespace builder::python
