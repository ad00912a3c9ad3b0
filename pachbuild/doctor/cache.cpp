// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "base/errors.h"
#include "base/text.h"
#include "contract/cache_limit.h"
#include "pachbuild/cache/disk_use.h"
#include "pachbuild/doctor/checks.h"
#include "pachbuild/local/session/environment.h"

namespace doctor {
namespace {

namespace fs = base::fs;

constexpr char k_another[] = "set PACHBUILD_CACHE_DIR to a folder of your own";

Finding from_error(const std::string& check, const base::Error& error) {
  return problem(check, base::without_hint(error), error.hint.empty() ? k_another : error.hint);
}

}  // namespace

Findings check_cache(const Machine& /*machine*/) {
  const auto cache = local::cache_path();
  if (!cache) return {from_error("folder", cache.error())};
  if (const auto trusted = local::check_cache(*cache); !trusted)
    return {from_error("folder", trusted.error())};
  const auto existing = existing_part(*cache);
  if (!fs::is_directory(existing))
    return {problem("folder", existing.string() + " is not a folder", k_another)};
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    const auto what = existing.string() + ": " + base::system_error("write", existing.string(), errno).what;
    // Left there by a call as root; what is not the cache's own is nobody's to take over.
    const bool is_cache = existing == *cache;
    return {problem("folder", what,
                    is_cache ? "sudo chown -R \"$USER\" " + base::shell_quote(cache->string()) : k_another)};
  }
  return {ok("folder", cache->string() + (existing == *cache ? "" : " (does not exist yet)"))};
}

Findings check_cache_size(const Machine& machine) {
  const auto limit =
      contract::parse_cache_limit(process::value_of(machine.environment, contract::k_cache_limit_variable));
  if (!limit) return {from_error("size", limit.error())};
  const auto cache = local::cache_path();
  if (!cache) return {};
  // The other line says why.
  if (::access(cache->c_str(), R_OK | X_OK) != 0 && errno != ENOENT) return {};
  cached::DiskUse use;
  static_cast<void>(use.add(*cache));
  const std::string most = *limit == 0 ? "no limit" : "limit " + base::format_bytes(*limit);
  return {ok("size",
             base::format_bytes(use.bytes()) + " in " + base::count_of(use.files(), "file") + ", " + most)};
}

}  // namespace doctor
