// SPDX-License-Identifier: Apache-2.0
// A digest of a folder's whole content: names, bytes and the targets of links; not times, owners or modes.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace builder {

// Links are followed, as compilers do; a folder that contains itself by a link is read once. Whatever is
// neither a file, a folder nor a link is an error.
base::Result<std::string> digest_of_folder(const base::fs::path& folder);

}  // namespace builder
