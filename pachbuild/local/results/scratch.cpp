// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/scratch.h"

namespace local {

base::Result<base::Workspace> make_scratch(const base::fs::path& cache) {
  // One name for all: a workspace removes the orphans that have its own.
  return base::Workspace::make(cache / "run", ".pachbuild-");
}

}  // namespace local
