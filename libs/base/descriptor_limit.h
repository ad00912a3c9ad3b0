// SPDX-License-Identifier: Apache-2.0
// How many descriptors this process and its children may have open (ulimit -n).
#pragma once

#include "base/result.h"

namespace base {

// Raises the limit to what may be had without rights of the system's. Fails where that is fewer than tools of
// a build need: they then fail at random, with words for something else.
Status raise_descriptor_limit();

}  // namespace base
