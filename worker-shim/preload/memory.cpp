// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/memory.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "worker-shim/folders.h"

namespace shim::preload {
namespace {

struct Version {
  const char* limit;
  const char* use;
  std::string_view own;  // the line of `use` that counts
};
constexpr std::array k_versions = {
    Version{"/memory.max", "/memory.stat", "anon "},
    Version{"/memory/memory.limit_in_bytes", "/memory/memory.stat", "total_rss "}};

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  for (const auto& line : base::split(text, '\n')) {
    if (line.starts_with(name))
      return base::parse_number(base::trim(std::string_view(line).substr(name.size())));
  }
  return std::nullopt;
}

}  // namespace

bool is_memory_scarce(const std::string& groups) {
  for (const auto& version : k_versions) {
    const auto limit_text = read_text(groups + version.limit);
    const auto use_text = read_text(groups + version.use);
    if (!limit_text || !use_text) continue;
    const auto limit = base::parse_number(base::trim(*limit_text));  // none for "max"
    const auto use = number_after(*use_text, version.own);
    if (limit && use) return *use >= *limit / 10 * 9;
  }
  return false;
}

}  // namespace shim::preload
