// SPDX-License-Identifier: Apache-2.0
// A cache of uv's for one way of building. uv identifies a built package by its source alone, so it would
// reuse packages that were compiled with other flags or by another compiler.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace builder::python {

class UvCache {
 public:
  // The cache below `shared` (UV_CACHE_DIR) for builds with this `key`. Built packages are its own, downloads
  // are shared.
  static base::Result<UvCache> open(const base::fs::path& shared, const std::string& key);

  UvCache(UvCache&&) noexcept = default;
  UvCache& operator=(UvCache&&) noexcept = default;
  UvCache(const UvCache&) = delete;
  UvCache& operator=(const UvCache&) = delete;
  // Shares new downloads.
  ~UvCache();

  [[nodiscard]] const base::fs::path& folder() const { return m_folder; }

 private:
  UvCache(base::fs::path shared, base::fs::path folder)
      : m_shared(std::move(shared)), m_folder(std::move(folder)) {}
  void share() const;

  base::fs::path m_shared;
  base::fs::path m_folder;
  std::optional<base::FileLock> m_use;
};

}  // namespace builder::python
