// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/errors.h"
#include "base/text.h"

namespace base {
namespace {

constexpr int k_folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !contains(name, '/');
}

Result<UniqueFd> open_child(int parent, const std::string& name, const std::string& shown) {
  if (!is_plain_name(name)) return fail(ErrorKind::step_failed, shown, "the path leaves its folder");
  UniqueFd child(::openat(parent, name.c_str(), k_folder_flags));
  if (child) return child;
  // With O_DIRECTORY a link is "not a folder" to the kernel.
  const int error_number = errno;
  struct stat status{};
  const bool is_link =
      ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
  return fail(entry_error("read", shown, is_link ? ELOOP : error_number));
}

// Gives the owner back what looking into a folder, emptying it and moving it need. By a descriptor, since
// chmod follows links and fchmodat cannot be told not to.
void allow_owner(int parent, const std::string& name) {
  const UniqueFd place(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
  if (place) ::chmod(("/proc/self/fd/" + std::to_string(place.get())).c_str(), 0700);
}

// A folder, even if its owner has taken the permission to look into it.
UniqueFd open_even_if_closed(int parent, const std::string& name) {
  UniqueFd folder(::openat(parent, name.c_str(), k_folder_flags));
  if (!folder && errno == EACCES) {
    allow_owner(parent, name);
    folder.reset(::openat(parent, name.c_str(), k_folder_flags));
  }
  return folder;
}

Result<std::vector<std::string>> names_in(int folder, const std::string& shown) {
  // A descriptor of its own, since reading moves the position that a duplicate would share.
  UniqueFd own(::openat(folder, ".", k_folder_flags));
  if (!own) return fail(system_error("read", shown, errno));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) return fail(system_error("read", shown, errno));
  static_cast<void>(own.release());
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) return fail(system_error("read", shown, errno));
  std::sort(names.begin(), names.end());
  return names;
}

// Removes an entry of a folder. Each level of folders takes a descriptor and a part of the stack, of which a
// program can use up any number: what is deeper than k_deepest moves up into `top`, the folder that removing
// began in.
class Remover {
 public:
  explicit Remover(int top) : m_top(top) {}

  Status remove(const std::string& name, const std::string& shown) {
    BASE_TRY(remove_entry(m_top, name, shown, 0));
    for (std::size_t i = 0; i < m_moved.size(); ++i) {
      const std::string moved = m_moved[i];
      BASE_TRY(remove_entry(m_top, moved, shown, 0));
    }
    return {};
  }

 private:
  static constexpr int k_deepest = 100;

  Status remove_entry(int parent, const std::string& name, const std::string& shown, int depth) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return fail(system_error("remove", shown, errno));
    if (depth == k_deepest && move_up(parent, name)) return {};
    const UniqueFd folder = open_even_if_closed(parent, name);
    if (!folder) return fail(system_error("remove", shown, errno));
    ::fchmod(folder.get(), 0700);
    BASE_TRY_ASSIGN(const auto children, names_in(folder.get(), shown));
    for (const auto& child : children) BASE_TRY(remove_entry(folder.get(), child, shown, depth + 1));
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      return fail(system_error("remove", shown, errno));
    return {};
  }

  bool move_up(int parent, const std::string& name) {
    allow_owner(parent, name);
    constexpr int k_attempts = 1000;
    for (int attempt = 0; attempt < k_attempts; ++attempt) {
      // A name that is taken by a file, or by a folder with something in it, does not give way.
      const std::string moved = ".pachbuild-removed-" + std::to_string(m_number++);
      if (::renameat(parent, name.c_str(), m_top, moved.c_str()) != 0) continue;
      m_moved.push_back(moved);
      return true;
    }
    return false;
  }

  int m_top;
  int m_number = 0;
  std::vector<std::string> m_moved;
};

}  // namespace

Error entry_error(std::string_view attempt, const std::string& shown, int error_number) {
  switch (error_number) {
    case ELOOP:
      return {ErrorKind::step_failed, shown, "is a link", {}};
    case ENOTDIR:
      return {ErrorKind::step_failed, shown, "is not a folder", {}};
    default:
      return system_error(attempt, shown, error_number);
  }
}

Result<Folder> Folder::open(const fs::path& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(system_error("read", path.string(), errno));
  return Folder(std::move(folder), path.string());
}

Result<Folder> Folder::open_without_link(const fs::path& path, const std::string& shown) {
  BASE_TRY_ASSIGN(const Folder parent, open(path.parent_path()));
  BASE_TRY_ASSIGN(auto folder, open_child(parent.descriptor(), path.filename().string(), shown));
  return Folder(std::move(folder), shown);
}

Result<Folder> Folder::open_folder(const std::string& path) const {
  std::optional<UniqueFd> current;
  std::string shown = m_shown;
  for (const auto& name : split(path, '/')) {
    shown += "/" + name;
    BASE_TRY_ASSIGN(current, open_child(current ? current->get() : descriptor(), name, shown));
  }
  return Folder(std::move(*current), std::move(shown));
}

Result<Folder> Folder::open_closed_folder(const std::string& name) const {
  if (is_plain_name(name)) allow_owner(descriptor(), name);
  return open_folder(name);
}

Result<Folder> Folder::make_folders(const std::string& path, mode_t mode,
                                    const std::function<void(const std::string&)>& made) const {
  std::optional<UniqueFd> current;
  std::string below;
  for (const auto& name : split(path, '/')) {
    below += (below.empty() ? "" : "/") + name;
    const int parent = current ? current->get() : descriptor();
    if (!is_plain_name(name)) return fail(ErrorKind::step_failed, shown(below), "the path leaves its folder");
    if (::mkdirat(parent, name.c_str(), mode) == 0) {
      if (made) made(below);
    } else if (errno != EEXIST) {
      return fail(system_error("create", shown(below), errno));
    }
    BASE_TRY_ASSIGN(current, open_child(parent, name, shown(below)));
  }
  return Folder(std::move(*current), shown(below));
}

Result<UniqueFd> Folder::open_file(const std::string& name, int flags, mode_t mode) const {
  if (!is_plain_name(name)) return fail(ErrorKind::step_failed, shown(name), "the path leaves its folder");
  UniqueFd file(::openat(descriptor(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return fail(entry_error((flags & O_CREAT) != 0 ? "create" : "read", shown(name), errno));
  return file;
}

Result<std::vector<std::string>> Folder::names() const { return names_in(descriptor(), m_shown); }

Result<std::optional<struct stat>> Folder::status(const std::string& name) const {
  struct stat status{};
  if (::fstatat(descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  return fail(system_error("read", shown(name), errno));
}

Status Folder::remove(const std::string& name) const {
  if (!is_plain_name(name)) return fail(ErrorKind::step_failed, shown(name), "the path leaves its folder");
  return Remover(descriptor()).remove(name, shown(name));
}

Status remove_tree(const fs::path& path) {
  // Links in the folders above are followed: they belong to the name that the caller gave.
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const UniqueFd folder(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder && errno == ENOENT) return {};
  if (!folder) return fail(system_error("remove", path.string(), errno));
  return Remover(folder.get()).remove(path.filename().string(), path.string());
}

}  // namespace base
