// SPDX-License-Identifier: Apache-2.0
// The bundles of one language by key: <cache>/<language>/bundles/<key>/ with the bundle, the one that it lies
// on, if it does, build.json and seal. An entry appears whole, by one rename; a bundle of several entries is
// one file.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "builder-runtime/languages/language.h"
#include "contract/build_record.h"

namespace builder {

// Of every bundle file. Output folders hold it under a second name: no one shall write into it.
inline constexpr mode_t k_bundle_mode = 0444;

// What a key stands for, apart from the bytes of the bundles.
struct BundleContent {
  std::vector<contract::Bundle> bundles;  // the environment's own, and its base if it has one
  MadeTree made;
  // Writes all of it into a record of the artifact.
  void put_into(contract::BuildRecord& record) const;
};

// "bundle-<digest>.tar.zst", by contract::k_bundle_prefix or k_base_prefix.
std::string file_of_bundle(const std::string& prefix, const std::string& digest);

struct StoredBundle {
  base::fs::path folder;  // has the bundles' files
  BundleContent content;
};

class BundleStore {
 public:
  // Either a bundle whose bytes are those that were stored, or none and, if there is a broken one, what is
  // wrong with it.
  struct Lookup {
    std::optional<StoredBundle> bundle;
    std::string damage;
  };

  explicit BundleStore(base::fs::path folder) : m_folder(std::move(folder)) {}

  // What it finds counts as used now.
  [[nodiscard]] Lookup find(const std::string& key) const;

  // The right to make the bundle of `key`. `before_waiting` is called when another process has it.
  [[nodiscard]] base::Result<base::FileLock> lock(const std::string& key,
                                                  const std::function<void()>& before_waiting) const;

  // Takes the bundles' files in, by a second name where it can, and replaces a damaged entry. Needs the lock
  // of `key`.
  [[nodiscard]] base::Result<StoredBundle> add(const std::string& key,
                                               const std::vector<base::fs::path>& files,
                                               BundleContent content, const base::Workspace& workspace) const;

  // Makes `stored` the entry of another key as well: a use of the one is a use of the other. Needs the lock
  // of `key`.
  [[nodiscard]] base::Result<StoredBundle> add_name(const std::string& key, StoredBundle stored,
                                                    const base::Workspace& workspace) const;

 private:
  [[nodiscard]] base::fs::path entry_of(const std::string& key) const { return m_folder / "bundles" / key; }
  [[nodiscard]] base::Status put_in_place(const base::fs::path& fresh, const std::string& key) const;

  base::fs::path m_folder;
};

}  // namespace builder
