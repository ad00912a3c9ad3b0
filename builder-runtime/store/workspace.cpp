// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/workspace.h"

namespace builder {
namespace {

// One name for all: a workspace removes the orphans that have its own.
constexpr char k_prefix[] = "build-";

}  // namespace

base::fs::path work_folder(const base::fs::path& cache) { return cache / "work"; }

base::Result<base::Workspace> make_workspace(const base::fs::path& cache) {
  return base::Workspace::make(work_folder(cache), k_prefix);
}

}  // namespace builder
