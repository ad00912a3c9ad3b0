// SPDX-License-Identifier: Apache-2.0
// Keeps the cache below a size: what was not used for longest goes first, and nothing that is in use.
//
// Counted and removed are bundles by key, bytecode and unpacked environments (cache/builder_cache.h).
// Removing is left to the next build when another one runs. An environment is in use as long as a process
// runs from it (cache/environment_use.h), and counts as used for some minutes after a build, whose first
// datum comes later.
//
// To look at all of a cache takes the longer the more is in it. So whoever has done it notes how much may be
// added until it has to be done again, and the builds after it only count what they add.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "contract/build_record.h"
#include "process/command.h"

namespace builder {

// PACHBUILD_CACHE_LIMIT ("20GiB", "500 MiB", "0"), else 20 GiB. 0: no limit.
base::Result<std::uint64_t> cache_limit(const process::Environment& environment);

// While it lives, nothing is removed from the cache but by its owner's shrink().
class CacheUse {
 public:
  static base::Result<CacheUse> begin(base::fs::path cache);

  // Ends the use of a build that has made `added`, and removes what is beyond the limit but was not used
  // since begin(). Says so in the log.
  base::Status shrink(std::uint64_t limit, const std::vector<contract::Bundle>& added) &&;

 private:
  CacheUse(base::fs::path cache, base::FileLock lock) : m_cache(std::move(cache)), m_lock(std::move(lock)) {}
  base::fs::path m_cache;
  std::optional<base::FileLock> m_lock;
  std::chrono::system_clock::time_point m_begin = std::chrono::system_clock::now();
};

}  // namespace builder
