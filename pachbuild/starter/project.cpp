// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/project.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/rename.h"
#include "base/stop.h"
#include "base/text.h"

namespace starter {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr char k_staging_prefix[] = ".pachbuild-init-";
constexpr char k_other_hint[] = "choose another folder, or move the existing files";

// The names at the top of the project, sorted.
std::vector<std::string> top_names(const Project& project) {
  std::vector<std::string> names;
  for (const auto& [path, file] : project) {
    auto name = path.substr(0, path.find('/'));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

// Without following a link: a broken one takes its name as well.
bool is_there(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

// "a, b and c"
std::string list_of(const std::vector<std::string>& names) {
  if (names.size() < 2) return base::join(names, "");
  const std::vector<std::string> first(names.begin(), names.end() - 1);
  return base::join(first, ", ") + " and " + names.back();
}

base::Status write_files(const fs::path& folder, const Project& project) {
  constexpr mode_t k_mode = 0666;
  constexpr mode_t k_executable_mode = 0777;
  mode_t mask = ::umask(0);
  ::umask(mask);
  for (const auto& [path, file] : project) {
    BASE_TRY(base::check_stop());
    const fs::path target = folder / path;
    BASE_TRY(base::make_folders(target.parent_path()));
    const mode_t mode = (file.is_executable ? k_executable_mode : k_mode) & ~mask;
    BASE_TRY(file.copy_of.empty() ? base::write_file(target, file.content, mode)
                                  : base::copy_regular_file(file.copy_of, target, mode));
  }
  return {};
}

base::Status rename_new(const fs::path& from, const fs::path& to) {
  if (base::rename_without_replacing(AT_FDCWD, from.string(), AT_FDCWD, to.string()) == 0) return {};
  if (errno == EEXIST)
    return base::fail(ErrorKind::cannot_write, to.string(), "already exists", k_other_hint);
  return base::fail(base::system_error("create", to.string(), errno));
}

// Errors about the files in the staging folder name them as the person knows them.
base::Status with_shown_names(base::Status status, const fs::path& staging, const fs::path& folder) {
  if (status) return status;
  base::Error error = std::move(status).error();
  base::replace_all(error.where, staging.string(), folder.string());
  base::replace_all(error.what, staging.string(), folder.string());
  return base::fail(std::move(error));
}

// Nobody knows the staging folder.
tl::unexpected<base::Error> not_created(const fs::path& folder, const base::Error& error) {
  return base::fail(ErrorKind::cannot_write, folder.string(), error.what, error.hint);
}

base::Status fill_folder(const fs::path& folder, const fs::path& staging, const Project& project) {
  std::vector<fs::path> made;
  for (const auto& name : top_names(project)) {
    auto renamed = rename_new(staging / name, folder / name);
    if (!renamed) {
      for (const auto& path : made) static_cast<void>(base::remove_tree(path));
      return renamed;
    }
    made.push_back(folder / name);
  }
  return {};
}

}  // namespace

base::Status check_room(const fs::path& folder, const Project& project) {
  boost::system::error_code error;
  if (!is_there(folder)) return {};
  if (!fs::is_directory(folder, error)) {
    return base::fail(ErrorKind::cannot_write, folder.string(), "is not a folder", "choose another name");
  }
  std::vector<std::string> taken;
  for (const auto& name : top_names(project)) {
    if (is_there(folder / name)) taken.push_back(name);
  }
  if (taken.empty()) return {};
  return base::fail(ErrorKind::cannot_write, folder.string(),
                    "already has " + list_of(taken) + "; nothing was changed", k_other_hint);
}

base::Status write_project(const fs::path& given, const Project& project,
                           const std::function<base::Status(const fs::path&)>& check) {
  BASE_TRY(check_room(given, project));
  const fs::path folder = base::normal_path(given);
  const bool is_new = !is_there(folder);
  // What appears by one rename: the first folder of the path that is missing.
  fs::path appears = folder;
  while (is_new && !appears.parent_path().empty() && !is_there(appears.parent_path()))
    appears = appears.parent_path();
  const fs::path around = is_new ? appears.parent_path() : folder;
  auto staging = base::TemporaryFolder::make(around, k_staging_prefix);
  if (!staging) return not_created(given, staging.error());
  const fs::path top = staging->path() / "new";
  const fs::path inside = (is_new ? top / folder.lexically_relative(appears) : top).lexically_normal();
  if (const auto made = base::make_folders(inside); !made) return not_created(given, made.error());
  BASE_TRY(with_shown_names(write_files(inside, project), inside, given));
  if (check) BASE_TRY(check(inside));
  BASE_TRY(base::check_stop());
  return is_new ? rename_new(top, appears) : fill_folder(folder, top, project);
}

}  // namespace starter
