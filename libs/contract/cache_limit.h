// SPDX-License-Identifier: Apache-2.0
// How large a cache may become: the value of PACHBUILD_CACHE_LIMIT, which builder-runtime keeps its bundles
// below and pachbuild the results of datums.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/text.h"
#include "contract/environment.h"

namespace contract {

inline constexpr std::uint64_t k_default_cache_limit = std::uint64_t{20} << 30;

// The bytes that `value` ("20GiB", "500 MiB") stands for; 0: no limit. An empty value is the default.
inline base::Result<std::uint64_t> parse_cache_limit(const std::string& value) {
  if (value.empty()) return k_default_cache_limit;
  if (const auto size = base::parse_size(value)) return *size;
  return base::fail(base::ErrorKind::usage, k_cache_limit_variable, "invalid size \"" + value + "\"",
                    "write it as 20GiB or 500MiB; 0 means no limit");
}

}  // namespace contract
