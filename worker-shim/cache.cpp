// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/errors.h"
#include "base/text.h"
#include "base/trusted_folder.h"
#include "base/unique_fd.h"
#include "contract/cache_variable.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

std::string environments_of(const std::string& cache) { return cache + "/" + contract::k_cache_environments; }

// A folder that exists and can be trusted, one that does not exist (no descriptor), or what is wrong with it.
using Presence = base::Result<base::UniqueFd>;

// What a person can do about it, who has chosen the folder or can choose another.
Presence with_hint(Presence folder) {
  if (!folder && folder.error().kind == base::ErrorKind::bad_input) {
    folder.error().hint = std::string("set ") + contract::k_cache_variable +
                          " to a folder that only this user and root can change, like all folders above it "
                          "(chmod go-w; chmod +t where others must be able to write)";
  }
  return folder;
}

Presence open_cache(const std::string& path, uid_t user) {
  return with_hint(base::open_trusted_folder(path, user, base::Sticky::accepted));
}

// A folder in a place where everybody can make one of that name.
Presence open_private_folder(const std::string& path, uid_t user) {
  const auto refuse = [&](std::string what) {
    return with_hint(base::fail(base::ErrorKind::bad_input, path, "cannot be trusted: " + std::move(what)));
  };
  BASE_TRY_ASSIGN(base::UniqueFd folder, with_hint(base::open_trusted_folder(path, user)));
  if (!folder) return folder;
  struct stat named{};
  struct stat opened{};
  if (::lstat(path.c_str(), &named) != 0 || ::fstat(folder.get(), &opened) != 0) {
    return base::fail(base::system_error("read", path, errno));
  }
  if (S_ISLNK(named.st_mode)) return refuse("is a symbolic link");
  if (opened.st_uid != user) {
    return refuse("belongs to another user (uid " + std::to_string(opened.st_uid) + ")");
  }
  if ((opened.st_mode & 077U) != 0) return refuse("its mode is not 0700");
  return folder;
}

Presence open_environments(const base::UniqueFd& cache_folder, const std::string& cache, uid_t user) {
  return with_hint(base::open_trusted_entry(cache_folder.get(), contract::k_cache_environments,
                                            environments_of(cache), user));
}

// The environment in a cache whose own folder is trusted or missing.
base::Result<std::string> look_into(Presence cache_folder, const std::string& cache, uid_t user,
                                    const std::string& digest) {
  BASE_TRY_ASSIGN(const base::UniqueFd folder, std::move(cache_folder));
  if (!folder) return std::string();
  BASE_TRY_ASSIGN(const base::UniqueFd environments, open_environments(folder, cache, user));
  if (!environments) return std::string();
  std::string path = environments_of(cache) + "/" + digest;
  BASE_TRY_ASSIGN(const base::UniqueFd environment,
                  with_hint(base::open_trusted_entry(environments.get(), digest, path, user)));
  return environment ? std::move(path) : std::string();
}

base::Status check_chosen(const std::string& path) {
  const auto refuse = [](std::string what) {
    return base::fail(base::ErrorKind::usage, contract::k_cache_variable, std::move(what));
  };
  if (path.front() != '/')
    return refuse("the cache folder must be an absolute path, not " + base::quoted(path));
  BASE_TRY(contract::check_cache_variable(path));
  if (base::contains(path, ':')) return refuse("'" + path + "' has a ':', which PATH cannot hold");
  return {};
}

base::Status make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return base::fail(base::system_error("create", path, errno));
}

base::Status check_writable(const std::string& path) {
  if (const int error_number = check_access(path, W_OK | X_OK); error_number != 0) {
    return base::fail(base::system_error("write", path, error_number));
  }
  return {};
}

base::Result<std::string> make_environments_in(Presence cache_folder, const std::string& cache, uid_t user) {
  BASE_TRY_ASSIGN(const base::UniqueFd folder, std::move(cache_folder));
  std::string path = environments_of(cache);
  if (::mkdirat(folder.get(), contract::k_cache_environments, 0755) != 0 && errno != EEXIST) {
    return base::fail(base::system_error("create", path, errno));
  }
  BASE_TRY(open_environments(folder, cache, user));
  BASE_TRY(check_writable(path));
  return path;
}

base::Result<std::string> make_in_chosen(const CacheSettings& settings) {
  return make_environments_in(
      with_hint(base::make_trusted_folder(settings.chosen, settings.user, base::Sticky::accepted)),
      settings.chosen, settings.user);
}

base::Result<std::string> make_in_private(const CacheSettings& settings) {
  BASE_TRY(make_folder(settings.private_folder, 0700));
  return make_environments_in(open_private_folder(settings.private_folder, settings.user),
                              settings.private_folder, settings.user);
}

base::Result<std::string> make_in_image(const CacheSettings& settings) {
  BASE_TRY(make_folder(settings.image, 0755));
  return make_environments_in(open_cache(settings.image, settings.user), settings.image, settings.user);
}

}  // namespace

CacheSettings current_cache_settings() {
  const char* const chosen = std::getenv(contract::k_cache_variable);
  const uid_t user = ::geteuid();
  return {.chosen = chosen == nullptr ? "" : chosen,
          .image = contract::k_image_cache,
          .private_folder = std::string(contract::k_private_cache_prefix) + "-" + std::to_string(user),
          .user = user};
}

base::Result<std::string> find_environment(const CacheSettings& settings, const std::string& digest) {
  if (!settings.chosen.empty()) {
    BASE_TRY(check_chosen(settings.chosen));
    return look_into(open_cache(settings.chosen, settings.user), settings.chosen, settings.user, digest);
  }
  auto in_image = look_into(open_cache(settings.image, settings.user), settings.image, settings.user, digest);
  if (in_image && !in_image->empty()) return in_image;
  return look_into(open_private_folder(settings.private_folder, settings.user), settings.private_folder,
                   settings.user, digest);
}

base::Result<std::string> make_environments_folder(const CacheSettings& settings) {
  if (!settings.chosen.empty()) return make_in_chosen(settings);
  if (auto in_image = make_in_image(settings)) return in_image;
  return make_in_private(settings);
}

base::Status check_environment_of_others(const std::string& environments, const std::string& digest,
                                         uid_t user) {
  BASE_TRY_ASSIGN(const base::UniqueFd folder, with_hint(base::open_trusted_folder(environments, user)));
  if (!folder) return {};
  BASE_TRY(with_hint(base::open_trusted_entry(folder.get(), digest, environments + "/" + digest, user)));
  return {};
}

}  // namespace shim
