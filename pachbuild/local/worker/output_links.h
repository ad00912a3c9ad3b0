// SPDX-License-Identifier: Apache-2.0
// Links in /pfs/out. A cluster follows them when the datum ends and stores what they lead to; PFS itself has
// none.
#pragma once

#include "base/folder.h"
#include "base/result.h"
#include "pachbuild/local/pool/task.h"

namespace local {

// Puts what each link below `output` leads to in its place. Call it where the program ran: links mean there
// what they meant to the program. A link to a file of an input that is lazy or has empty files gives the
// file's real content. `scratch` is the folder in which the task's inputs were staged. A link that cannot be
// followed is an error of kind step_failed.
base::Status follow_links(const base::Folder& output, const base::fs::path& scratch, const Task& task);

}  // namespace local
