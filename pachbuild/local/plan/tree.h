// SPDX-License-Identifier: Apache-2.0
// The files of a repo: everything below a folder of this machine, seen as PFS would hold it (files only;
// empty folders do not exist; links are followed). What pachbuild keeps in its output folders is not part of
// a repo.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "base/result.h"

namespace local {

// One file: its path below the root ("dir/a.txt") and its status after following links.
using FileVisitor = std::function<base::Status(const std::string& path, const struct stat& status)>;

// Visits the files of `path` below `root` in the order of their paths (byte by byte, a folder's files
// together); `path` is a file, a folder, or empty for everything. What is neither a file nor a folder, a
// link that leads nowhere and a circle of links are errors.
base::Status visit_files(const std::string& root, const std::string& path, const FileVisitor& visit);

}  // namespace local
