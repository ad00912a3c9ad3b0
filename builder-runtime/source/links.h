// SPDX-License-Identifier: Apache-2.0
// The links of a source: a build reads what they lead to as if it were the source's.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace builder {

// Fails at a link that leads out of the source. Those of virtual environments are passed over, whose
// interpreter is always elsewhere and which no build reads: copy_source() leaves such links behind.
base::Status check_links(const base::fs::path& source);

}  // namespace builder
