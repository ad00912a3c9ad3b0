// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/tree.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/stop.h"
#include "pachbuild/local/own_folder.h"

namespace local {
namespace {

using base::ErrorKind;
using FolderId = std::pair<dev_t, ino_t>;

base::Result<std::vector<std::string>> list_names(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
  if (!stream) return base::fail(base::system_error("read", folder, errno));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return base::fail(base::system_error("read", folder, errno));
  std::sort(names.begin(), names.end());
  return names;
}

// `above` holds the folders from the root to here: meeting one again is a circle.
base::Status visit(const std::string& root, const std::string& path, const FileVisitor& visitor,
                   std::vector<FolderId>& above) {
  BASE_TRY(base::check_stop());
  const std::string absolute = join_path(root, path);
  struct stat status{};
  if (::stat(absolute.c_str(), &status) != 0) return base::fail(base::system_error("read", absolute, errno));
  if (S_ISREG(status.st_mode)) return visitor(path, status);
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorKind::bad_input, absolute, "is neither a file nor a folder",
                      "a repo holds files only; remove it, or choose another folder");
  }
  const FolderId id{status.st_dev, status.st_ino};
  if (std::find(above.begin(), above.end(), id) != above.end()) {
    return base::fail(ErrorKind::bad_input, absolute, "is a link to a folder above it");
  }
  above.push_back(id);
  BASE_TRY_ASSIGN(const auto names, list_names(absolute));
  for (const auto& name : names) {
    if (name == k_own_folder && is_own_folder(base::fs::path(absolute) / name)) continue;
    BASE_TRY(visit(root, join_path(path, name), visitor, above));
  }
  above.pop_back();
  return {};
}

}  // namespace

base::Status visit_files(const std::string& root, const std::string& path, const FileVisitor& visitor) {
  std::vector<FolderId> above;
  return visit(root, path, visitor, above);
}

std::string join_path(const std::string& first, const std::string& second) {
  if (first.empty()) return second;
  if (second.empty()) return first;
  return first + "/" + second;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace local
