// SPDX-License-Identifier: Apache-2.0
#include "base/relative_path.h"

#include "base/text.h"

namespace base {

std::string join_path(std::string_view first, std::string_view second) {
  std::string path(first);
  if (!first.empty() && !second.empty()) path += '/';
  path += second;
  return path;
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::vector<std::string> folders_above(std::string_view path) {
  std::vector<std::string> folders;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    folders.emplace_back(path.substr(0, slash));
  }
  return folders;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return join(parts, "/");
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace base
