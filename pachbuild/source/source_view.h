// SPDX-License-Identifier: Apache-2.0
// A source as the check of a pipeline's commands looks at it.
#pragma once

#include "base/files.h"
#include "pachbuild/spec/command_files.h"

namespace source {

spec::SourceView view_of(const base::fs::path& folder);

}  // namespace source
