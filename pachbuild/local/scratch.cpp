// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/scratch.h"

#include <boost/filesystem/operations.hpp>
#include <string>
#include <vector>

namespace local {
namespace {

namespace fs = base::fs;

constexpr char k_prefix[] = ".pachbuild-";
constexpr char k_lock[] = "lock";

// Best effort: what cannot be removed now is tried again by the next run.
void remove_leftovers(const fs::path& parent) {
  std::vector<fs::path> candidates;
  boost::system::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().rfind(k_prefix, 0) == 0) candidates.push_back(entry->path());
  }
  for (const auto& candidate : candidates) {
    // A folder without a lock file is just being made by another run.
    if (!fs::exists(candidate / k_lock, error)) continue;
    const auto lock = base::FileLock::try_acquire(candidate / k_lock);
    if (lock && lock->held()) static_cast<void>(base::remove_tree(candidate));
  }
}

}  // namespace

base::Result<Scratch> Scratch::make(const fs::path& parent) {
  remove_leftovers(parent);
  BASE_TRY_ASSIGN(auto folder, base::TemporaryFolder::make(parent, k_prefix));
  BASE_TRY_ASSIGN(auto lock, base::FileLock::acquire(folder.path() / k_lock));
  return Scratch(std::move(folder), std::move(lock));
}

}  // namespace local
