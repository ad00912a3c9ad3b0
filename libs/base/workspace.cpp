// SPDX-License-Identifier: Apache-2.0
#include "base/workspace.h"

#include <boost/filesystem/operations.hpp>
#include <optional>
#include <vector>

namespace base {
namespace {

constexpr char k_lock[] = "lock";
constexpr std::size_t k_suffix_length = 6;  // the XXXXXX of a TemporaryFolder
constexpr char k_orphaned[] = ".gone";  // behind the name of one that nobody can find as a workspace any more

bool was_set_aside(const fs::path& entry) { return entry.filename().string().ends_with(k_orphaned); }

// Whether nobody holds its lock, which is made where it has none.
bool is_unowned(const fs::path& workspace) {
  const auto lock = FileLock::try_acquire(workspace / k_lock);
  return lock && lock->held();
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    entries.push_back(entry->path());
  return entries;
}

// All in `parent` that `is_candidate` takes for a workspace, but those in use. With the lock of `parent`: a
// new workspace that is not locked yet looks like an orphan.
template <class IsCandidate>
std::vector<fs::path> find_orphans(const fs::path& parent, const IsCandidate& is_candidate) {
  std::vector<fs::path> found;
  for (auto& entry : entries_of(parent)) {
    if (is_candidate(entry) && (was_set_aside(entry) || is_unowned(entry))) found.push_back(std::move(entry));
  }
  return found;
}

// Gives them names that are those of no workspace. Best effort: what cannot be renamed now is tried again by
// the next owner.
std::vector<fs::path> rename_aside(const std::vector<fs::path>& orphans) {
  std::vector<fs::path> aside;
  for (const auto& orphan : orphans) {
    fs::path name = orphan;
    if (!was_set_aside(orphan)) name += k_orphaned;
    boost::system::error_code error;
    fs::rename(orphan, name, error);
    if (!error) aside.push_back(std::move(name));
  }
  return aside;
}

// Whether it may be a workspace of this prefix.
bool has_prefix(const fs::path& entry, const std::string& prefix) {
  const std::string name = entry.filename().string();
  return name.starts_with(prefix) && (was_set_aside(entry) || name.size() == prefix.size() + k_suffix_length);
}

// Whether it has been a workspace of whatever prefix.
bool has_lock(const fs::path& entry) {
  boost::system::error_code error;
  return fs::is_regular_file(fs::symlink_status(entry / k_lock, error));
}

bool is_missing(const fs::path& folder) {
  boost::system::error_code error;
  return fs::symlink_status(folder, error).type() == fs::file_not_found;
}

}  // namespace

Result<Workspace> Workspace::make(const fs::path& parent, const std::string& prefix) {
  BASE_TRY(make_folders(parent, k_owner_writes));
  BASE_TRY_ASSIGN(std::optional<FileLock> guard, FileLock::acquire_folder(parent));
  const auto orphans =
      rename_aside(find_orphans(parent, [&](const fs::path& entry) { return has_prefix(entry, prefix); }));
  BASE_TRY_ASSIGN(auto folder, TemporaryFolder::make(parent, prefix));
  BASE_TRY_ASSIGN(auto lock, FileLock::acquire(folder.path() / k_lock));
  guard.reset();
  for (const auto& orphan : orphans) static_cast<void>(remove_tree(orphan));
  return Workspace(std::move(lock), std::move(folder));
}

bool Workspace::is_one(const fs::path& folder) { return was_set_aside(folder) || has_lock(folder); }

Result<std::vector<fs::path>> Workspace::orphans(const fs::path& parent) {
  if (is_missing(parent)) return std::vector<fs::path>();
  BASE_TRY_ASSIGN(const auto guard, FileLock::acquire_folder(parent));
  return find_orphans(parent, is_one);
}

Result<std::vector<fs::path>> Workspace::set_orphans_aside(const fs::path& parent) {
  if (is_missing(parent)) return std::vector<fs::path>();
  BASE_TRY_ASSIGN(const auto guard, FileLock::acquire_folder(parent));
  return rename_aside(find_orphans(parent, is_one));
}

fs::path Workspace::place_aside(const fs::path& parent, const std::string& prefix, const std::string& name) {
  return parent / (prefix + name + k_orphaned);
}

}  // namespace base
