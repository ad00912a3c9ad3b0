// SPDX-License-Identifier: Apache-2.0
#include "base/trusted_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

#include "base/errors.h"

namespace base {
namespace {

constexpr uid_t k_root = 0;
// The first number that useradd gives to a person, and to the group of that person alone (UID_MIN,
// login.defs).
constexpr uid_t k_first_person = 1000;
constexpr mode_t k_folder_mode = 0755;
constexpr unsigned k_links = 40;  // as many as the kernel follows

tl::unexpected<Error> distrust(const std::string& path, std::string what) {
  return fail(ErrorKind::bad_input, path, "cannot be trusted: " + std::move(what),
              "use a folder that only this user and root can change, with all folders above it");
}

// Whose folders and links are believed.
struct Owners {
  uid_t user;
  uid_t system;  // the owner of "/"; root but in a user namespace that does not know the real root
  uid_t kernel;  // the real root as it is seen here, also where "/" is a folder of this user's

  [[nodiscard]] bool has(uid_t owner) const {
    return owner == user || owner == k_root || owner == system || owner == kernel;
  }
};

// In a user namespace without a number for it that is the one that all have who have none.
uid_t real_root() {
  struct stat status{};
  return ::stat("/proc/sys", &status) == 0 ? status.st_uid : k_root;
}

std::string stranger(uid_t owner) { return "belongs to another user (uid " + std::to_string(owner) + ")"; }

// The mode shows the most that a list allows anybody as the group's part.
bool has_access_list(int folder) {
  const UniqueFd readable(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return !readable || ::fgetxattr(readable.get(), "system.posix_acl_access", nullptr, 0) >= 0;
}

bool group_is_private(int folder, const struct stat& status, uid_t user) {
  return user >= k_first_person && status.st_uid == user && status.st_gid == user && !has_access_list(folder);
}

bool others_can_write(int folder, const struct stat& status, uid_t user) {
  if ((status.st_mode & S_IWOTH) != 0) return true;
  return (status.st_mode & S_IWGRP) != 0 && !group_is_private(folder, status, user);
}

Status check_folder(int folder, const struct stat& status, const std::string& path, const Owners& owners,
                    Sticky sticky) {
  if (!S_ISDIR(status.st_mode)) return fail(ErrorKind::io, path, "is not a folder");
  if (!owners.has(status.st_uid)) return distrust(path, stranger(status.st_uid));
  const bool is_protected = sticky == Sticky::accepted && (status.st_mode & S_ISVTX) != 0;
  if (!is_protected && others_can_write(folder, status, owners.user)) {
    return distrust(path, "other users can write to it");
  }
  return {};
}

// One part of a path, itself and no link's target.
UniqueFd open_part(int folder, const std::string& name) {
  return UniqueFd(::openat(folder, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

Result<struct stat> status_of(const UniqueFd& file, const std::string& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(system_error("read", path, errno));
  return status;
}

enum class Missing { left, made };

// Goes down a path part by part. What is left of the path grows when a link is met.
class Walk {
 public:
  Walk(std::string path, uid_t user, Missing missing)
      : m_left(std::move(path)), m_owners{user, k_root, k_root}, m_missing(missing) {}

  Result<UniqueFd> run(Sticky last) {
    if (m_left.empty() || m_left.front() != '/') {
      return fail(ErrorKind::usage, m_left, "is not an absolute path");
    }
    BASE_TRY(start_at_root());
    m_owners.system = m_status.st_uid;
    m_owners.kernel = real_root();
    while (true) {
      const std::string name = take_part();
      if (name.empty()) break;
      // More follows, and so the folder that we are in is one above.
      BASE_TRY(check(Sticky::accepted));
      BASE_TRY_ASSIGN(const bool found, enter(name));
      if (!found) return UniqueFd();
    }
    // What is believed for its content is not only as safe as "/", but ours.
    if (m_path != "/") m_owners.system = k_root;
    m_owners.kernel = k_root;
    BASE_TRY(check(last));
    return std::move(m_folder);
  }

 private:
  Status start_at_root() {
    m_path = "/";
    m_folder = UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!m_folder) return fail(system_error("read", m_path, errno));
    BASE_TRY_ASSIGN(m_status, status_of(m_folder, m_path));
    return {};
  }

  [[nodiscard]] Status check(Sticky sticky) const {
    return check_folder(m_folder.get(), m_status, m_path, m_owners, sticky);
  }

  // The next part of what is left; empty at the end.
  std::string take_part() {
    std::string name;
    do {
      const auto start = std::min(m_left.find_first_not_of('/'), m_left.size());
      const auto end = std::min(m_left.find('/', start), m_left.size());
      name.assign(m_left, start, end - start);
      m_left.erase(0, end);
    } while (name == ".");
    return name;
  }

  [[nodiscard]] std::string path_of(const std::string& name) const {
    return m_path == "/" ? m_path + name : m_path + "/" + name;
  }

  // Whether the part is there.
  Result<bool> enter(const std::string& name) {
    std::string path = path_of(name);
    UniqueFd part = open_part(m_folder.get(), name);
    if (!part && errno == ENOENT) {
      if (m_missing == Missing::left) return false;
      if (::mkdirat(m_folder.get(), name.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
        return fail(system_error("create", path, errno));
      }
      part = open_part(m_folder.get(), name);
    }
    if (!part) return fail(system_error(m_missing == Missing::made ? "create" : "read", path, errno));
    BASE_TRY_ASSIGN(const struct stat status, status_of(part, path));
    if (S_ISLNK(status.st_mode)) {
      BASE_TRY(follow(part, status, path));
      return true;
    }
    m_folder = std::move(part);
    m_status = status;
    m_path = std::move(path);
    return true;
  }

  Status follow(const UniqueFd& link, const struct stat& status, const std::string& path) {
    if (!m_owners.has(status.st_uid)) {
      return distrust(path, "is a symbolic link that " + stranger(status.st_uid));
    }
    if (++m_links > k_links) return fail(system_error("read", path, ELOOP));
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlinkat(link.get(), "", target.data(), target.size());
    if (length < 0) return fail(system_error("read", path, errno));
    m_left = std::string(target.data(), static_cast<std::size_t>(length)) + "/" + m_left;
    return m_left.front() == '/' ? start_at_root() : Status();
  }

  std::string m_left;
  Owners m_owners;
  const Missing m_missing;
  UniqueFd m_folder;
  struct stat m_status{};
  std::string m_path;
  unsigned m_links = 0;
};

}  // namespace

Result<UniqueFd> open_trusted_folder(const std::string& path, uid_t user, Sticky last) {
  return Walk(path, user, Missing::left).run(last);
}

Result<UniqueFd> make_trusted_folder(const std::string& path, uid_t user, Sticky last) {
  return Walk(path, user, Missing::made).run(last);
}

Result<UniqueFd> open_trusted_entry(int folder, const std::string& name, const std::string& path,
                                    uid_t user) {
  UniqueFd entry = open_part(folder, name);
  if (!entry && errno == ENOENT) return UniqueFd();
  if (!entry) return fail(system_error("read", path, errno));
  BASE_TRY_ASSIGN(const struct stat status, status_of(entry, path));
  if (S_ISLNK(status.st_mode)) return distrust(path, "is a symbolic link");
  BASE_TRY(check_folder(entry.get(), status, path, {user, k_root, k_root}, Sticky::refused));
  return entry;
}

}  // namespace base
