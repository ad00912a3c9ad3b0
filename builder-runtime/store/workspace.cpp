// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/workspace.h"

#include <boost/filesystem/operations.hpp>
#include <vector>

namespace builder {
namespace {

namespace fs = base::fs;

constexpr char k_prefix[] = "build-";
constexpr char k_lock[] = "lock";

// A folder that no one owns any more, with its lock in our hands.
struct Orphan {
  base::FileLock lock;
  fs::path folder;
};

std::vector<Orphan> claim_orphans(const fs::path& parent) {
  std::vector<Orphan> orphans;
  boost::system::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().rfind(k_prefix, 0) != 0) continue;
    auto lock = base::FileLock::try_acquire(entry->path() / k_lock);
    if (lock && lock->held()) orphans.push_back({std::move(*lock), entry->path()});
  }
  return orphans;
}

}  // namespace

base::Result<Workspace> Workspace::make(const fs::path& parent) {
  BASE_TRY(base::make_folders(parent, 0755));
  std::vector<Orphan> orphans;
  const auto claim_and_make = [&]() -> base::Result<Workspace> {
    // While this lock is held, a folder without an owner is not one that is just being made.
    BASE_TRY_ASSIGN(const auto gate, base::FileLock::acquire(parent / k_lock));
    orphans = claim_orphans(parent);
    BASE_TRY_ASSIGN(auto folder, base::TemporaryFolder::make(parent, k_prefix));
    BASE_TRY_ASSIGN(auto lock, base::FileLock::acquire(folder.path() / k_lock));
    return Workspace(std::move(lock), std::move(folder));
  };
  auto workspace = claim_and_make();
  // What cannot be removed now can be tried again by the next build.
  for (const auto& orphan : orphans) static_cast<void>(base::remove_tree(orphan.folder));
  return workspace;
}

}  // namespace builder
