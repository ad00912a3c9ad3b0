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

// Gives orphans names that are those of no workspace, and what has such names already. With the lock of
// `parent`: a new workspace that is not locked yet looks like an orphan. Best effort: what cannot be renamed
// now is tried again by the next owner.
std::vector<fs::path> set_orphans_aside(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> aside;
  boost::system::error_code error;
  std::vector<fs::path> candidates;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    if (name.ends_with(k_orphaned)) {
      aside.push_back(entry->path());
    } else if (name.size() == prefix.size() + k_suffix_length) {
      candidates.push_back(entry->path());
    }
  }
  for (const auto& candidate : candidates) {
    const auto lock = FileLock::try_acquire(candidate / k_lock);
    if (!lock || !lock->held()) continue;
    fs::path orphan = candidate;
    orphan += k_orphaned;
    fs::rename(candidate, orphan, error);
    if (!error) aside.push_back(std::move(orphan));
  }
  return aside;
}

}  // namespace

Result<Workspace> Workspace::make(const fs::path& parent, const std::string& prefix) {
  BASE_TRY(make_folders(parent, k_owner_writes));
  BASE_TRY_ASSIGN(std::optional<FileLock> guard, FileLock::acquire_folder(parent));
  const auto orphans = set_orphans_aside(parent, prefix);
  BASE_TRY_ASSIGN(auto folder, TemporaryFolder::make(parent, prefix));
  BASE_TRY_ASSIGN(auto lock, FileLock::acquire(folder.path() / k_lock));
  guard.reset();
  for (const auto& orphan : orphans) static_cast<void>(remove_tree(orphan));
  return Workspace(std::move(lock), std::move(folder));
}

}  // namespace base
