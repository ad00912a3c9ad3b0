// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cache/cleaning.h"

#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/stop.h"
#include "base/workspace.h"
#include "cache/builder_cache.h"
#include "cache/environment_use.h"
#include "pachbuild/cache/disk_use.h"
#include "pachbuild/local/results/result_store.h"

namespace cached {
namespace {

namespace fs = base::fs;

// worker-shim notes the use of an environment to the hour (worker-shim/seal.h), and a program that a run is
// about to start is none that could be seen yet.
constexpr auto k_lately = std::chrono::hours(2);

constexpr char k_run[] = "a run is in progress";
constexpr char k_build[] = "a build is running";
constexpr char k_in_use[] = "in use by a program";

bool is_held(const std::optional<base::FileLock>& lock) { return lock && lock->held(); }

bool is_there(const fs::path& path) {
  boost::system::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_not_found;
}

// The rights to move things away, for a short time.
class Locks {
 public:
  static base::Result<Locks> take(const fs::path& cache, const std::vector<const Kind*>& kinds, Mode mode) {
    Locks locks;
    const auto needs = [&](auto... guards) {
      return std::any_of(kinds.begin(), kinds.end(),
                         [&](const Kind* kind) { return ((kind->guard == guards) || ...); });
    };
    // Who only looks makes no folder.
    locks.m_never_ran = mode == Mode::only_tell && !is_there(local::ResultStore::folder_in(cache));
    if (!locks.m_never_ran && needs(Guard::runs, Guard::environments, Guard::images)) {
      BASE_TRY_ASSIGN(locks.m_runs, local::ResultStore::try_lock_alone(cache));
    }
    if (needs(Guard::builds, Guard::environments)) {
      BASE_TRY_ASSIGN(locks.m_builds, caches::try_lock_alone(cache));
    }
    return locks;
  }

  [[nodiscard]] bool no_run() const { return m_never_ran || is_held(m_runs); }
  [[nodiscard]] bool no_build() const { return is_held(m_builds); }

 private:
  bool m_never_ran = false;
  std::optional<base::FileLock> m_runs;
  std::optional<base::FileLock> m_builds;
};

// What of a kind goes, and the locks of single parts, which are held until it has been moved.
struct Selection {
  Cleaned cleaned;
  bool counts_files = false;
  std::vector<Part> going;
  std::vector<base::FileLock> locks;
};

void keep(Selection& selection, const char* reason) {
  ++selection.cleaned.kept;
  selection.cleaned.reason = reason;
}

void keep_all(Selection& selection, const Content& content, const char* reason) {
  selection.cleaned.kept = content.counts_files ? content.parts.size() : content.entries;
  if (selection.cleaned.kept > 0) selection.cleaned.reason = reason;
}

void take_all(Selection& selection, Content content) {
  selection.cleaned.entries = content.entries;
  selection.going = std::move(content.parts);
}

void take_one(Selection& selection, Part part) {
  ++selection.cleaned.entries;
  selection.going.push_back(std::move(part));
}

void choose_environments(Selection& selection, Content content, const Locks& locks) {
  const auto use = caches::EnvironmentUse::look();
  const auto lately = Clock::now() - k_lately;
  for (auto& part : content.parts) {
    if (use.has(part.path.filename().string())) {
      keep(selection, k_in_use);
    } else if (!locks.no_run() && part.used >= lately) {
      keep(selection, k_run);
    } else {
      take_one(selection, std::move(part));
    }
  }
}

// Those whose own lock is free; it is held until they have been moved.
void choose_unlocked(Selection& selection, Content content, const char* reason,
                     const std::function<base::Result<base::FileLock>(const Part&)>& try_lock) {
  for (auto& part : content.parts) {
    auto lock = try_lock(part);
    if (!lock || !lock->held()) {
      keep(selection, reason);
      continue;
    }
    selection.locks.push_back(std::move(*lock));
    take_one(selection, std::move(part));
  }
}

Selection choose(const Kind& kind, const fs::path& cache, const Locks& locks) {
  auto content = kind.content(cache);
  Selection selection{{.kind = &kind}, content.counts_files, {}, {}};
  switch (kind.guard) {
    case Guard::runs:
      if (locks.no_run()) {
        take_all(selection, std::move(content));
      } else {
        keep_all(selection, content, k_run);
      }
      break;
    case Guard::builds:
    case Guard::environments:
      if (!locks.no_build()) {
        keep_all(selection, content, k_build);
      } else if (kind.guard == Guard::builds) {
        take_all(selection, std::move(content));
      } else {
        choose_environments(selection, std::move(content), locks);
      }
      break;
    case Guard::images:
      if (locks.no_run()) {
        choose_unlocked(selection, std::move(content), k_build,
                        [](const Part& part) { return caches::try_lock_alone(part.path); });
      } else {
        keep_all(selection, content, k_run);
      }
      break;
    case Guard::interpreters:
      choose_unlocked(selection, std::move(content), k_in_use,
                      [](const Part& part) { return base::FileLock::try_acquire(part.lock); });
      break;
    case Guard::workspaces:
      break;  // they go without these locks
  }
  return selection;
}

// Where things are moved to: a workspace or, on a disk so full that none can be made, names of what one has
// left.
class Bin {
 public:
  static base::Result<Bin> make(const fs::path& cache) {
    Bin bin(cache);
    auto workspace = caches::make_workspace(cache);
    if (!workspace &&
        (workspace.error().kind != base::ErrorKind::cannot_write || !is_there(caches::work_folder(cache))))
      return base::fail(std::move(workspace).error());
    if (workspace) bin.m_workspace.emplace(std::move(*workspace));
    return bin;
  }

  fs::path next_place() {
    const auto name = std::to_string(m_number++);
    return m_workspace ? m_workspace->path() / name
                       : caches::place_aside(m_cache, std::to_string(::getpid()) + "-" + name);
  }

 private:
  explicit Bin(fs::path cache) : m_cache(std::move(cache)) {}
  fs::path m_cache;
  std::optional<base::Workspace> m_workspace;
  std::size_t m_number = 0;
};

// Moves what goes, in order, and gives the places. One that another process has removed is gone as well.
std::vector<fs::path> move_away(const std::vector<Part>& parts, Bin& bin, base::Errors& errors) {
  std::vector<fs::path> places;
  for (const auto& part : parts) {
    auto place = bin.next_place();
    if (auto moved = base::rename_path(part.path, place); !moved) {
      moved.error().where = part.path.string();
      if (is_there(part.path)) errors.add(std::move(moved).error());
      continue;
    }
    places.push_back(std::move(place));
    if (part.lock.empty()) continue;
    if (auto removed = base::remove_tree(part.lock); !removed) errors.add(std::move(removed).error());
  }
  return places;
}

base::Status measure(const std::vector<fs::path>& paths, Cleaned& cleaned, bool counts_files) {
  DiskUse use;
  for (const auto& path : paths) BASE_TRY(use.add(path));
  cleaned.bytes = use.bytes_freed();
  if (counts_files) cleaned.entries = use.files();
  return {};
}

base::Status remove_all(const std::vector<fs::path>& paths, base::Errors& errors) {
  for (const auto& path : paths) {
    BASE_TRY(base::check_stop());
    if (auto removed = base::remove_tree(path); !removed) errors.add(std::move(removed).error());
  }
  return {};
}

// What of the workspaces has no owner any more goes; the lock of each is enough for that.
base::Result<Cleaned> clean_workspaces(const Kind& kind, const fs::path& cache, Mode mode,
                                       base::Errors& errors) {
  Cleaned cleaned{.kind = &kind};
  const auto all = kind.content(cache).entries;
  std::vector<fs::path> gone;
  for (const auto& parent : workspace_parents(cache)) {
    BASE_TRY_ASSIGN(auto orphans, mode == Mode::remove ? base::Workspace::set_orphans_aside(parent)
                                                       : base::Workspace::orphans(parent));
    std::move(orphans.begin(), orphans.end(), std::back_inserter(gone));
  }
  cleaned.entries = gone.size();
  cleaned.kept = all - std::min(all, gone.size());
  if (cleaned.kept > 0) cleaned.reason = k_in_use;
  BASE_TRY(measure(gone, cleaned, /*counts_files=*/false));
  if (mode == Mode::remove) BASE_TRY(remove_all(gone, errors));
  return cleaned;
}

struct Moved {
  Cleaned cleaned;
  bool counts_files = false;
  std::vector<fs::path> places;
};

}  // namespace

base::Status clean(const fs::path& cache, const std::vector<const Kind*>& kinds, Mode mode,
                   const std::function<void(const Cleaned&)>& tell) {
  base::Errors errors;
  std::vector<Moved> all;
  // Before there is a workspace of this cleaning's own.
  for (const auto* kind : kinds) {
    if (kind->guard != Guard::workspaces) continue;
    BASE_TRY_ASSIGN(auto cleaned, clean_workspaces(*kind, cache, mode, errors));
    all.push_back({std::move(cleaned), false, {}});
  }
  std::optional<Bin> bin;
  if (mode == Mode::remove) {
    BASE_TRY_ASSIGN(bin, Bin::make(cache));
  }
  {
    BASE_TRY_ASSIGN(const auto locks, Locks::take(cache, kinds, mode));
    for (const auto* kind : kinds) {
      if (kind->guard == Guard::workspaces) continue;
      auto selection = choose(*kind, cache, locks);
      std::vector<fs::path> places;
      if (bin) {
        places = move_away(selection.going, *bin, errors);
        if (places.size() < selection.going.size())
          selection.cleaned.entries = std::min(selection.cleaned.entries, places.size());
      } else {
        for (const auto& part : selection.going) places.push_back(part.path);
      }
      all.push_back({std::move(selection.cleaned), selection.counts_files, std::move(places)});
    }
  }
  // From here on builds and runs go on.
  std::sort(all.begin(), all.end(),
            [](const Moved& a, const Moved& b) { return a.cleaned.kind < b.cleaned.kind; });
  for (auto& [cleaned, counts_files, places] : all) {
    if (cleaned.kind->guard != Guard::workspaces) {
      BASE_TRY(measure(places, cleaned, counts_files));
      if (bin) BASE_TRY(remove_all(places, errors));
    }
    tell(cleaned);
  }
  return errors.none() ? base::Status() : base::fail(errors.take());
}

}  // namespace cached
