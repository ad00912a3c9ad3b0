// SPDX-License-Identifier: Apache-2.0
// For builds that ask git for a version: a repository that answers as the source's own would, made in the
// private copy that is built, from a revision::Revision alone. Neither it nor the source's .git comes into an
// artifact.
#pragma once

#include <optional>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/tools.h"
#include "process/command.h"
#include "revision/revision.h"

namespace builder::python {

// What git knows of a source: the file that pachbuild hands over, else its repository. None where there is
// neither; a warning where only git is missing.
base::Result<std::optional<revision::Revision>> find_revision(const base::fs::path& source,
                                                              const Tools& tools);

// Makes the repository with the files below `top` as its commit; `source` is the folder in it that is built.
// Where git is not there, files and variables say what some tools take instead. `environment` is that of the
// build.
base::Status add_repository(const revision::Revision& revision, const base::fs::path& top,
                            const base::fs::path& source, const Tools& tools,
                            process::Environment& environment);

}  // namespace builder::python
