// SPDX-License-Identifier: Apache-2.0
#include "base/inside.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "base/errors.h"
#include "base/text.h"

namespace base {
namespace {

constexpr char k_hint[] = "move the file below transform.build.path: only files there are built";

// Both without links. Compared part by part: "/source-2" is not below "/source".
bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

bool stays_inside(const fs::path& name) {
  if (name.is_absolute()) return false;
  int depth = 0;
  for (const auto& part : name) {
    if (part.empty() || part == ".") continue;
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return false;
  }
  return true;
}

Result<fs::path> path_inside(const fs::path& folder, const std::string& name, const std::string& where) {
  const auto outside = [&](const std::string& what) {
    return fail(ErrorKind::bad_input, where, name + what, k_hint);
  };
  if (contains(name, '\0') || !stays_inside(name)) return outside(" is outside the source");
  boost::system::error_code error;
  // As far as it exists: links of folders count even where the last part does not exist.
  const auto real = fs::weakly_canonical(folder / name, error);
  if (error) return outside(" cannot be read: " + error.message());
  if (!is_below(real, fs::canonical(folder, error)) || error) {
    return outside(" is outside the source: it is, or is reached through, a symbolic link to " +
                   real.string());
  }
  return folder / name;
}

std::optional<fs::path> path_below(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  if (relative.empty() || *relative.begin() == "..") return std::nullopt;
  return relative;
}

Result<fs::path> target_outside(const fs::path& folder, const fs::path& link) {
  boost::system::error_code error;
  const auto target = fs::canonical(link, error);
  const bool is_broken = error.value() == ENOENT || error.value() == ENOTDIR || error.value() == ELOOP;
  if (is_broken) return fs::path();
  if (error) return fail(system_error("read", link.string(), error.value()));
  return is_below(target, folder) ? fs::path() : target;
}

}  // namespace base
