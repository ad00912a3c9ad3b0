// SPDX-License-Identifier: Apache-2.0
// The part of a cache folder that builds keep below a size, and the locks that protect all of what builds
// keep: what builder-runtime has to know to remove the oldest, and pachbuild to list and to remove any of it.
//
// The entries are bundles by key (<cache>/LANGUAGE/bundles/KEY/), files of bytecode and unpacked
// environments. The time of the last use of each is a time of one of its files, which a build sets.
//
// Builds hold the lock of the cache together from the moment they look into it until their artifact is
// written. Whoever holds it alone may remove what builds keep; who has it is to be quick, since builds wait.
// So entries are moved into a workspace, where removing them may take its time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"

namespace contract {
struct Bundle;
}

namespace caches {

namespace fs = base::fs;
using Clock = std::chrono::system_clock;

enum class EntryKind { bundle, bytecode, environment };

struct Entry {
  EntryKind kind = EntryKind::bundle;
  fs::path path;
  std::uint64_t bytes = 0;  // on a disk, about; of a file that entries share, the last used of them has it
  Clock::time_point used;   // the oldest time of all when nothing is known of it
  fs::path lock;            // the file that goes with it; empty: none
};

// Whether `a` is to go first: what was used longest ago.
bool goes_before(const Entry& a, const Entry& b);

// All of a cache, in no order. What another process removes meanwhile may be missing.
std::vector<Entry> list_entries(const fs::path& cache);

// The entries of a folder but hidden ones; none when it cannot be read.
std::vector<fs::path> list_folder(const fs::path& folder);

// When the file or folder was last changed or, of an environment that worker-shim has sealed, used. The
// oldest time of all when there is nothing.
Clock::time_point last_use(const fs::path& path);
// Marks the entry that this file or folder stands for as used now. Where that is not possible it stays as it
// is.
void mark_used(const fs::path& path);

// What the environment of a bundle takes on a disk, about.
std::uint64_t environment_bytes(const contract::Bundle& bundle);

// The file of a bundle's entry whose time says when it was used last.
fs::path stamp_of_bundle(const fs::path& entry);

// The right of a build to find its entries again. Waits while entries are being moved away.
base::Result<base::FileLock> lock_for_build(const fs::path& cache);
// The right to move entries away, which is not held when a build runs.
base::Result<base::FileLock> try_lock_alone(const fs::path& cache);

// The folder of all workspaces of builds.
fs::path work_folder(const fs::path& cache);
// A new one, gone with its owner. What killed builds left goes now, whatever they were doing.
base::Result<base::Workspace> make_workspace(const fs::path& cache);
// Where to move something that is about to be removed when the disk has no room for a workspace: the next one
// that is made removes it, should nobody else. `name` tells it from others.
fs::path place_aside(const fs::path& cache, const std::string& name);

}  // namespace caches
