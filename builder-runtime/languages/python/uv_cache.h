// SPDX-License-Identifier: Apache-2.0
// uv's cache for one way of building. uv keeps what it has built from a source by that source alone: it would
// install what was compiled with other flags, by another compiler, as another version.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace builder::python {

class UvCache {
 public:
  // The cache below `shared` (UV_CACHE_DIR) for what is built as `key` says: what was built is its own, what
  // was downloaded is shared.
  static base::Result<UvCache> open(const base::fs::path& shared, const std::string& key);

  UvCache(UvCache&&) noexcept = default;
  UvCache& operator=(UvCache&&) noexcept = default;
  UvCache(const UvCache&) = delete;
  UvCache& operator=(const UvCache&) = delete;
  // Shares what was downloaded meanwhile.
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
