// SPDX-License-Identifier: Apache-2.0
// A digest of a folder's whole content: names, bytes, the targets of links and which files may be executed;
// not times, owners or other modes, and nothing of .git.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace builder {

// Is shown the name (inside the folder) and the content of a file while it is read; on any thread, several
// at a time, in no order.
using FileViewer = std::function<void(const std::string& name, std::string_view content)>;

// Which files are shown, by name; none of those below a link to a folder is.
using FileChoice = std::function<bool(std::string_view name)>;

struct FolderDigest {
  std::string content;
  // Another one after each change of the folder, also after one that was changed back.
  std::string state;
};

// Links are followed, as compilers do; a folder is read once, whatever the number of links to it. Whatever is
// neither a file, a folder nor a link is an error.
base::Result<FolderDigest> digest_of_folder(const base::fs::path& folder, const FileChoice& is_chosen = {},
                                            const FileViewer& view = {});

}  // namespace builder
