// SPDX-License-Identifier: Apache-2.0
// The datums that a person means by --datum.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/plan/datum_list.h"
#include "pachbuild/spec/input.h"

namespace local {

// The places in `datums` of all that one of `names` selects, in their order. A name is tried as
//  - the number of a datum, as `list datum` counts them, from 1;
//  - its id, or the beginning of it, from 6 digits on;
//  - a file or folder: "/a.html" or "a.html" in a repo, "scraper/a.html", "scraper@/a.html",
//    "/pfs/scraper/a.html", or a path of this machine in the folder of a repo. It selects every datum that
//    has the file, or a file of the folder;
//  - what messages call the datum (Datum::label()).
// The first of these that fits counts. `input` and `commits` are what `datums` was made of. A name that fits
// nothing, and one that could mean different datums, are errors (usage).
base::Result<std::vector<std::size_t>> select_datums(const DatumList& datums, const spec::Input& input,
                                                     const Commits& commits,
                                                     const std::vector<std::string>& names);

}  // namespace local
