// SPDX-License-Identifier: Apache-2.0
// Why Go failed, where its exit code, which is the same for everything, does not tell: modules that cannot be
// fetched, and variables that keep it from finding what is there.
#pragma once

#include "base/result.h"
#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/tools.h"

namespace builder::go {

// That Go ended in another way than it should.
base::Error go_error(const process::Finished& finished);

// Why one of Go's commands in `place` failed, as far as it is known: an error of kind network when modules
// are missing, and the module proxy does not even answer for one that every proxy has; one that names the
// modules when they cannot be fetched, or the module's own file that is wrong.
base::Error explained(const process::Finished& finished, const BuildPlace& place,
                      const base::fs::path& source, const Decision& decision, const Tools& tools);

}  // namespace builder::go
