// SPDX-License-Identifier: Apache-2.0
// What is in the cache folder, by kind (ARCHITECTURE.md, "Caches"). The names, locks and times of each kind
// are asked of the code that keeps it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace cached {

using Clock = std::chrono::system_clock;

// Whose locks must be free for a kind to be removed.
enum class Guard {
  runs,          // of pachbuild: the store of results is its lock
  builds,        // of builder-runtime
  environments,  // builds; an environment that a program runs from stays, and while there are runs one that
                 // was used lately
  images,        // runs, and of each image's cache its own builds
  interpreters,  // each has its own: a preloaded Python holds it
  workspaces,    // each has its own: its owner holds it
};

// A file or folder that goes as one.
struct Part {
  base::fs::path path;
  base::fs::path lock;  // the file that goes with it; empty: none
  Clock::time_point used;
};

struct Content {
  std::vector<Part> parts;    // in the order in which they go
  std::size_t entries = 0;    // as people count them
  bool counts_files = false;  // instead of entries
  Clock::time_point used;     // the oldest time of all: its files tell
};

struct Kind {
  std::string_view name;   // "results"
  std::string_view about;  // "outputs of datums, and files fetched from clusters"
  Guard guard = Guard::builds;
  Content (*content)(const base::fs::path& cache);
};

// The folders in which builds and runs work (base/workspace.h).
std::vector<base::fs::path> workspace_parents(const base::fs::path& cache);

// All of them, in the order in which they are shown.
const std::vector<Kind>& kinds();

// The kind of this name; null: there is none.
const Kind* find_kind(std::string_view name);

}  // namespace cached
