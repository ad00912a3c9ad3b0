// SPDX-License-Identifier: Apache-2.0
#include "base/workspace.h"

#include <boost/filesystem/operations.hpp>
#include <vector>

namespace base {
namespace {

constexpr char k_lock[] = "lock";
constexpr std::size_t k_suffix_length = 6;  // the XXXXXX of a TemporaryFolder
constexpr int k_attempts = 16;

// Best effort: what cannot be removed now is tried again by the next owner.
void remove_orphans(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> candidates;
  boost::system::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind(prefix, 0) == 0 && name.size() == prefix.size() + k_suffix_length)
      candidates.push_back(entry->path());
  }
  for (const auto& candidate : candidates) {
    const auto lock = FileLock::try_acquire(candidate / k_lock);
    if (lock && lock->held()) static_cast<void>(remove_tree(candidate));
  }
}

}  // namespace

Result<Workspace> Workspace::make(const fs::path& parent, const std::string& prefix) {
  BASE_TRY(make_folders(parent, k_owner_writes));
  remove_orphans(parent, prefix);
  // Until it is locked a new folder looks like an orphan, and another process may remove it: then another is
  // made.
  for (int attempt = 1;; ++attempt) {
    BASE_TRY_ASSIGN(auto folder, TemporaryFolder::make(parent, prefix));
    auto lock = FileLock::acquire(folder.path() / k_lock);
    boost::system::error_code error;
    if (lock && fs::exists(folder.path() / k_lock, error))
      return Workspace(std::move(*lock), std::move(folder));
    if (!lock && attempt == k_attempts) return fail(lock.error());
  }
}

}  // namespace base
