// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/tree.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/folder.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "pachbuild/local/results/own_folder.h"

namespace local {
namespace {

using base::ErrorKind;
using FolderId = std::pair<dev_t, ino_t>;

base::Result<std::vector<std::string>> list_names(const std::string& path) {
  BASE_TRY_ASSIGN(const auto folder, base::Folder::open(path));
  return folder.names();
}

// `above` holds the folders from the root to here: meeting one again is a circle.
base::Status visit(const std::string& root, const std::string& path, const FileVisitor& visitor,
                   std::vector<FolderId>& above) {
  BASE_TRY(base::check_stop());
  const std::string absolute = base::join_path(root, path);
  struct stat status{};
  if (::stat(absolute.c_str(), &status) != 0) return base::fail(base::read_error(absolute, errno));
  if (S_ISREG(status.st_mode)) return visitor(path, status);
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorKind::bad_input, absolute, "is neither a file nor a folder",
                      "a repo holds files only; remove it, or choose another folder");
  }
  const FolderId id{status.st_dev, status.st_ino};
  if (std::find(above.begin(), above.end(), id) != above.end()) {
    return base::fail(ErrorKind::bad_input, absolute, "is a link to one of its parent folders");
  }
  above.push_back(id);
  BASE_TRY_ASSIGN(const auto names, list_names(absolute));
  for (const auto& name : names) {
    if (name == k_own_folder && is_own_folder(base::fs::path(absolute) / name)) continue;
    BASE_TRY(visit(root, base::join_path(path, name), visitor, above));
  }
  above.pop_back();
  return {};
}

}  // namespace

base::Status visit_files(const std::string& root, const std::string& path, const FileVisitor& visitor) {
  std::vector<FolderId> above;
  return visit(root, path, visitor, above);
}

}  // namespace local
