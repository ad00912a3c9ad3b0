// SPDX-License-Identifier: Apache-2.0
// As handleSymlinks() of Pachyderm's worker does (src/server/worker/datum/datum.go), but for links to what
// has no end: the kernel's own file systems, and folders that contain /pfs/out.
#include "pachbuild/local/worker/output_links.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/relative_path.h"
#include "contract/pfs_names.h"
#include "pachbuild/local/results/output_tree.h"

namespace local {
namespace {

using base::ErrorKind;
using base::Folder;
using base::UniqueFd;

// Where a copy grows before it takes the link's place. PFS cannot store such a name, so a program that has
// made a file of it fails anyway.
constexpr char k_copy[] = "*pachbuild-copy";
constexpr char k_hint[] = "links in /pfs/out are followed when the datum ends";

// File systems whose files the kernel generates (linux/magic.h).
constexpr std::array<unsigned long, 9> k_kernel_views = {
    PROC_SUPER_MAGIC, SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
    SECURITYFS_MAGIC, TRACEFS_MAGIC, BPF_FS_MAGIC,       DEVPTS_SUPER_MAGIC};

bool is_kernel_view(int descriptor) {
  struct statfs system{};
  if (::fstatfs(descriptor, &system) != 0) return false;
  return std::any_of(k_kernel_views.begin(), k_kernel_views.end(),
                     [&](auto magic) { return static_cast<unsigned long>(system.f_type) == magic; });
}

// The path of what is open, as this process sees it; empty where the kernel does not say.
std::string path_of(int descriptor) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "";
}

using FileId = std::pair<dev_t, ino_t>;

// What a link, or an entry of a folder that a link leads to, stands for.
struct Target {
  UniqueFd place;  // opened with O_PATH
  struct stat status{};
  [[nodiscard]] FileId id() const { return {status.st_dev, status.st_ino}; }
};

class LinkFollower {
 public:
  LinkFollower(const Folder& output, const base::fs::path& scratch, const Task& task)
      : m_output(output), m_scratch(scratch), m_task(task) {}

  base::Status follow() {
    auto followed = follow_in(m_output, 0);
    // What cannot be read is what the program has left, or has pointed at.
    if (!followed && followed.error().kind == ErrorKind::io) followed.error().kind = ErrorKind::step_failed;
    return followed;
  }

 private:
  base::Status follow_in(const Folder& folder, int depth);
  base::Status replace(const Folder& folder, const std::string& name);
  [[nodiscard]] base::Result<Target> target_of(int folder, const std::string& name) const;
  base::Status copy(const Target& target, int from, const std::string& name, const Folder& to,
                    const std::string& copy_name);
  base::Status copy_file(const Target& target, int from, const std::string& name, const Folder& to,
                         const std::string& copy_name) const;
  base::Status copy_folder(const Target& target, const Folder& to, const std::string& copy_name);
  [[nodiscard]] std::optional<base::fs::path> original_of(const Target& target) const;
  [[nodiscard]] tl::unexpected<base::Error> fault(std::string what) const {
    return base::fail(ErrorKind::step_failed, m_link, std::move(what), k_hint);
  }

  const Folder& m_output;
  const base::fs::path& m_scratch;
  const Task& m_task;
  std::string m_link;           // the one that is being followed, for errors
  std::vector<FileId> m_above;  // the folders that contain it, and those that are being copied
};

base::Status LinkFollower::follow_in(const Folder& folder, int depth) {
  if (depth > k_deepest_output) return {};  // OutputTree::list() refuses it
  struct stat status{};
  if (::fstat(folder.descriptor(), &status) != 0)
    return base::fail(base::system_error("read", folder.shown(), errno));
  m_above.emplace_back(status.st_dev, status.st_ino);
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    if (name == k_copy) {
      return base::fail(ErrorKind::step_failed, "", contract::invalid_names({folder.shown(name)}, 1),
                        contract::k_pfs_names_hint);
    }
    BASE_TRY_ASSIGN(const auto entry, folder.status(name));
    if (!entry) continue;
    if (S_ISLNK(entry->st_mode)) {
      BASE_TRY(replace(folder, name));
    } else if (S_ISDIR(entry->st_mode)) {
      const bool closed = (entry->st_mode & S_IRWXU) != S_IRWXU;
      BASE_TRY_ASSIGN(const auto child, closed ? folder.open_closed_folder(name) : folder.open_folder(name));
      BASE_TRY(follow_in(child, depth + 1));
    }
  }
  m_above.pop_back();
  return {};
}

base::Status LinkFollower::replace(const Folder& folder, const std::string& name) {
  m_link = folder.shown(name);
  BASE_TRY_ASSIGN(const auto target, target_of(folder.descriptor(), name));
  BASE_TRY(copy(target, folder.descriptor(), name, folder, k_copy));
  if (::unlinkat(folder.descriptor(), name.c_str(), 0) != 0)
    return base::fail(base::system_error("write", m_link, errno));
  // A folder without files has no copy.
  if (::renameat(folder.descriptor(), k_copy, folder.descriptor(), name.c_str()) != 0 && errno != ENOENT)
    return base::fail(base::system_error("write", m_link, errno));
  return {};
}

base::Result<Target> LinkFollower::target_of(int folder, const std::string& name) const {
  Target target{UniqueFd(::openat(folder, name.c_str(), O_PATH | O_CLOEXEC)), {}};
  if (!target.place || ::fstat(target.place.get(), &target.status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fault("is a broken link");
    if (errno == ELOOP) return fault("is a link that leads to itself");
    return fault("the link cannot be followed: " + base::system_error("read", m_link, errno).what);
  }
  return target;
}

// `target` is what `name` in the folder `from` leads to.
base::Status LinkFollower::copy(const Target& target, int from, const std::string& name, const Folder& to,
                                const std::string& copy_name) {
  if (S_ISDIR(target.status.st_mode)) return copy_folder(target, to, copy_name);
  if (const auto original = original_of(target)) {
    // Its own error would name a path that the program has never seen.
    const UniqueFd source(::open(original->c_str(), O_RDONLY | O_CLOEXEC));
    if (!source) return fault("links to an input file that no longer exists");
    BASE_TRY_ASSIGN(const auto copy, to.open_file(copy_name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    return base::copy_content(source.get(), *original, copy.get(), m_link);
  }
  return copy_file(target, from, name, to, copy_name);
}

base::Status LinkFollower::copy_file(const Target& target, int from, const std::string& name,
                                     const Folder& to, const std::string& copy_name) const {
  if (!S_ISREG(target.status.st_mode))
    return fault("links to " + path_of(target.place.get()) + ", which is neither a file nor a folder");
  if (is_kernel_view(target.place.get()))
    return fault("links to " + path_of(target.place.get()) + ", a file that the kernel generates");
  const UniqueFd source(::openat(from, name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!source || ::fstat(source.get(), &status) != 0)
    return fault("the file that it links to cannot be read: " + base::system_error("read", "", errno).what);
  if (FileId(status.st_dev, status.st_ino) != target.id())
    return fault("was changed after the program ended");
  BASE_TRY_ASSIGN(const auto copy, to.open_file(copy_name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return base::copy_content(source.get(), m_link, copy.get(), m_link);
}

base::Status LinkFollower::copy_folder(const Target& target, const Folder& to, const std::string& copy_name) {
  const std::string path = path_of(target.place.get());
  // Found by its path before anything of it is copied, and by its identity wherever the path says nothing.
  const std::string output = path_of(m_output.descriptor());
  const bool contains_output = path == "/" || base::is_at_or_below(output, path);
  if (contains_output || std::find(m_above.begin(), m_above.end(), target.id()) != m_above.end())
    return fault("links to " + path + ", a folder that contains the link");
  if (is_kernel_view(target.place.get()))
    return fault("links to " + path + ", whose files the kernel generates");
  if (m_above.size() > 2 * static_cast<std::size_t>(k_deepest_output))
    return fault("links to too many nested folders");
  const UniqueFd source(::openat(target.place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source)
    return fault("links to a folder that cannot be read: " + base::system_error("read", "", errno).what);
  m_above.push_back(target.id());
  BASE_TRY_ASSIGN(const auto names, Folder(UniqueFd(::dup(source.get())), path).names());
  std::optional<Folder> copy_of_folder;
  for (const auto& name : names) {
    BASE_TRY_ASSIGN(const auto entry, target_of(source.get(), name));
    if (!copy_of_folder) {
      BASE_TRY_ASSIGN(copy_of_folder, to.make_folders(copy_name, 0700));
    }
    BASE_TRY(copy(entry, source.get(), name, *copy_of_folder, name));
  }
  m_above.pop_back();
  return {};
}

// The file that a staged one of a lazy input, or of one with empty files, stands for.
std::optional<base::fs::path> LinkFollower::original_of(const Target& target) const {
  const std::string path = path_of(target.place.get());
  for (const auto& input : m_task.inputs) {
    if (!input.lazy && !input.empty_files) continue;
    const std::string staged = (m_scratch / input.name).string() + "/";
    if (!path.starts_with(staged)) continue;
    const std::string relative = path.substr(staged.size());
    // Another part of the same input may have another root.
    if (input.path.empty() || base::is_at_or_below(relative, input.path))
      return base::join_path(input.root, relative);
  }
  return std::nullopt;
}

}  // namespace

base::Status follow_links(const Folder& output, const base::fs::path& scratch, const Task& task) {
  return LinkFollower(output, scratch, task).follow();
}

}  // namespace local
