// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/errors.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace shim {
namespace {

constexpr mode_t k_others_may_write = S_IWGRP | S_IWOTH;

std::string choose_hint() {
  return std::string("set ") + contract::k_cache_variable + " to a folder that only this user can write";
}

std::string environments_of(const std::string& cache) { return cache + "/" + contract::k_cache_environments; }

// Whether a folder is there, or what is wrong with it.
using Presence = base::Result<bool>;

tl::unexpected<base::Error> distrust(const std::string& path, std::string what) {
  return base::fail(base::ErrorKind::bad_input, path, "cannot be trusted as a cache: " + std::move(what),
                    choose_hint());
}

bool others_may_write(const struct stat& status, uid_t user) {
  const bool private_group = status.st_uid == user && status.st_gid == user;
  return (status.st_mode & (private_group ? mode_t{S_IWOTH} : k_others_may_write)) != 0;
}

enum class StickyBit { protects, does_not_help };
enum class Links { followed, refused };

Presence trusted_folder(const std::string& path, uid_t user, StickyBit sticky_bit, Links links) {
  struct stat status{};
  if (::fstatat(AT_FDCWD, path.c_str(), &status, links == Links::refused ? AT_SYMLINK_NOFOLLOW : 0) != 0) {
    if (errno == ENOENT) return false;
    return base::fail(base::system_error("read", path, errno));
  }
  if (S_ISLNK(status.st_mode)) return distrust(path, "is a symbolic link");
  if (!S_ISDIR(status.st_mode)) return distrust(path, "is not a folder");
  if (status.st_uid != user && status.st_uid != 0) {
    return distrust(path, "belongs to another user (uid " + std::to_string(status.st_uid) + ")");
  }
  const bool is_protected = sticky_bit == StickyBit::protects && (status.st_mode & S_ISVTX) != 0;
  if (others_may_write(status, user) && !is_protected) return distrust(path, "other users can write it");
  return true;
}

Presence trusted_cache(const std::string& cache, uid_t user) {
  return trusted_folder(cache, user, StickyBit::protects, Links::followed);
}

Presence trusted_environments(const std::string& cache, uid_t user) {
  return trusted_folder(environments_of(cache), user, StickyBit::does_not_help, Links::refused);
}

// A folder in a place where everybody can make one of that name.
Presence trusted_private_folder(const std::string& path, uid_t user) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return false;
    return base::fail(base::system_error("read", path, errno));
  }
  if (!S_ISDIR(status.st_mode)) return distrust(path, "is not a folder");
  if (status.st_uid != user) {
    return distrust(path, "belongs to another user (uid " + std::to_string(status.st_uid) + ")");
  }
  if ((status.st_mode & 077U) != 0) return distrust(path, "its mode is not 0700");
  return true;
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// The environment in a cache whose own folder was found trusted or missing.
base::Result<std::string> look_into(Presence cache_folder, const std::string& cache, uid_t user,
                                    const std::string& digest) {
  BASE_TRY_ASSIGN(const bool cache_there, std::move(cache_folder));
  if (!cache_there) return std::string();
  BASE_TRY_ASSIGN(const bool environments_there, trusted_environments(cache, user));
  std::string environment = environments_of(cache) + "/" + digest;
  return environments_there && is_folder(environment) ? std::move(environment) : std::string();
}

base::Status check_chosen(const std::string& path) {
  const auto refuse = [](std::string what) {
    return base::fail(base::ErrorKind::usage, contract::k_cache_variable, std::move(what));
  };
  if (path.front() != '/') return refuse("'" + path + "' is not an absolute path");
  if (path.find(':') != std::string::npos) return refuse("'" + path + "' has a ':', which PATH cannot hold");
  return {};
}

base::Status make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return base::fail(base::system_error("create", path, errno));
}

// The folder and all above it.
base::Status make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    ::mkdir(path.substr(0, end).c_str(), 0755);  // what matters is whether the last one succeeds
  }
  return make_folder(path, 0755);
}

base::Status check_writable(const std::string& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  return base::fail(base::system_error("write", path, errno));
}

base::Result<std::string> make_environments_in(Presence cache_folder, const std::string& cache, uid_t user) {
  BASE_TRY(cache_folder);
  BASE_TRY(make_folder(environments_of(cache), 0755));
  BASE_TRY(trusted_environments(cache, user));
  BASE_TRY(check_writable(environments_of(cache)));
  return environments_of(cache);
}

base::Result<std::string> make_in_chosen(const CacheSettings& settings) {
  BASE_TRY(make_folders(settings.chosen));
  return make_environments_in(trusted_cache(settings.chosen, settings.user), settings.chosen, settings.user);
}

base::Result<std::string> make_in_private(const CacheSettings& settings) {
  BASE_TRY(make_folder(settings.private_folder, 0700));
  return make_environments_in(trusted_private_folder(settings.private_folder, settings.user),
                              settings.private_folder, settings.user);
}

base::Result<std::string> make_in_image(const CacheSettings& settings) {
  BASE_TRY(make_folder(settings.image, 0755));
  return make_environments_in(trusted_cache(settings.image, settings.user), settings.image, settings.user);
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
    return look_into(trusted_cache(settings.chosen, settings.user), settings.chosen, settings.user, digest);
  }
  auto in_image =
      look_into(trusted_cache(settings.image, settings.user), settings.image, settings.user, digest);
  if (in_image && !in_image->empty()) return in_image;
  return look_into(trusted_private_folder(settings.private_folder, settings.user), settings.private_folder,
                   settings.user, digest);
}

base::Result<std::string> make_environments_folder(const CacheSettings& settings) {
  // The modes given here are meant as they are, whatever the user's umask.
  const mode_t umask_before = ::umask(022);
  auto folder = [&]() -> base::Result<std::string> {
    if (!settings.chosen.empty()) return make_in_chosen(settings);
    if (auto in_image = make_in_image(settings)) return in_image;
    return make_in_private(settings);
  }();
  ::umask(umask_before);
  return folder;
}

}  // namespace shim
