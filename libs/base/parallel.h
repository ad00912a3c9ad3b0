// SPDX-License-Identifier: Apache-2.0
// Work on all processors.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace base {

// The processors that this process may use, at least 1.
unsigned processors();

// work(0) … work(count - 1), in no order and several at a time; another thread is started only for
// `least_of_a_thread` of them. After a failure no more are begun; of several failures one is given.
Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work,
                   std::size_t least_of_a_thread = 1);

}  // namespace base
