// SPDX-License-Identifier: Apache-2.0
// What is wrong with a module's own files when Go fails: go.mod, go.sum and go.work.
#pragma once

#include <optional>

#include "base/result.h"
#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/tools.h"

namespace builder::go {

// An error that names the file: it needs a newer Go, Go cannot read it, it does not name its module, or it
// lacks an entry of go.sum. Nothing when it is none of these.
std::optional<base::Error> module_fault(const process::Finished& finished, const BuildPlace& place,
                                        const base::fs::path& source, const Decision& decision,
                                        const Tools& tools);

}  // namespace builder::go
