// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/secret_files.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "base/errors.h"
#include "base/files.h"
#include "pachbuild/local/worker/sandbox.h"

namespace local {
namespace {

namespace fs = base::fs;

// Kubernetes names it by the time and changes where the link leads when the secret changes.
constexpr char k_values[] = "..2026_01_01_00_00_00.000000000";
constexpr char k_link_to_values[] = "..data";

base::Status make_link(const std::string& target, const fs::path& path) {
  if (::symlink(target.c_str(), path.c_str()) != 0)
    return base::fail(base::system_error("create", path.string(), errno));
  return {};
}

base::Status fill(const fs::path& folder, const std::map<std::string, std::string>& values,
                  mode_t file_mode) {
  const fs::path files = folder / k_values;
  BASE_TRY(base::make_folders(files, 0755));
  BASE_TRY(make_link(k_values, folder / k_link_to_values));
  for (const auto& [key, value] : values) {
    BASE_TRY(base::write_file(files / key, value, file_mode));
    BASE_TRY(make_link(std::string(k_link_to_values) + "/" + key, folder / key));
  }
  return {};
}

base::Status mount_filled(const std::string& path, const std::map<std::string, std::string>& values) {
  BASE_TRY_ASSIGN(const auto point, make_mount_point(path));
  constexpr unsigned long k_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount("tmpfs", point.c_str(), "tmpfs", k_flags, "mode=1777") != 0)
    return base::fail(base::system_error("mount", path, errno));
  BASE_TRY(fill(point, values, 0644));
  if (::mount(nullptr, point.c_str(), nullptr, k_flags | MS_REMOUNT | MS_RDONLY, "mode=1777") != 0)
    return base::fail(base::system_error("mount", path, errno));
  return {};
}

base::Status fill_prepared(const fs::path& folder, const std::map<std::string, std::string>& values) {
  BASE_TRY(fill(folder, values, 0444));
  // Nobody may add files; whose the folder is does not matter, where it is another's nobody may either.
  ::chmod((folder / k_values).c_str(), 0555);
  ::chmod(folder.c_str(), 0555);
  return {};
}

}  // namespace

base::Status show_secrets(const SecretFolders& folders, SecretMounts mounts) {
  for (const auto& [path, values] : folders) {
    BASE_TRY(mounts == SecretMounts::ours ? mount_filled(path, values) : fill_prepared(path, values));
  }
  return {};
}

}  // namespace local
