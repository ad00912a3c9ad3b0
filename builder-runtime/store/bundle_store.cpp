// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/bundle_store.h"

#include <sys/stat.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <tuple>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "cache/builder_cache.h"
#include "contract/layout.h"

namespace builder {
namespace {

namespace fs = base::fs;

using Bundles = std::vector<contract::Bundle>;

// The digest of the record, and what the files' status was when their digests were last verified. As long as
// that is the same, so is the content: reading 26 MiB again costs more than all the rest of a build that has
// nothing to do.
base::Result<std::string> seal_of(const fs::path& entry, const std::string& record, const Bundles& bundles) {
  std::vector<std::string> lines = {base::sha256(record)};
  for (const auto& bundle : bundles) {
    const fs::path file = entry / bundle.file;
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
      return base::fail(base::system_error("read", file.string(), errno));
    lines.push_back(
        base::join({std::to_string(status.st_ino), std::to_string(status.st_size),
                    std::to_string(status.st_mtim.tv_sec), std::to_string(status.st_mtim.tv_nsec)},
                   " "));
  }
  return base::join(lines, "\n");
}

base::Status seal(const fs::path& entry, const std::string& record, const Bundles& bundles) {
  BASE_TRY_ASSIGN(const std::string text, seal_of(entry, record, bundles));
  return base::write_file(caches::stamp_of_bundle(entry), text);
}

base::Status verify(const fs::path& entry, const std::string& record, const Bundles& bundles) {
  const auto written = base::read_file(caches::stamp_of_bundle(entry)).value_or("");
  BASE_TRY_ASSIGN(const std::string found, seal_of(entry, record, bundles));
  if (written == found) return {};
  if (!written.starts_with(base::sha256(record))) {
    return base::fail(base::ErrorKind::io, (entry / contract::k_record).string(),
                      "has changed since it was written");
  }
  for (const auto& bundle : bundles) {
    const fs::path file = entry / bundle.file;
    BASE_TRY_ASSIGN(const std::string actual, base::sha256_of_file(file.string()));
    if (actual != bundle.digest) {
      return base::fail(base::ErrorKind::io, file.string(), "its digest does not match its name");
    }
  }
  // Only saves the next one the work: a read-only cache is fine.
  static_cast<void>(seal(entry, record, bundles));
  return {};
}

// Whether a record names what an entry may hold, and files of the entry itself only.
bool names_bundles(const Bundles& bundles) {
  constexpr std::array k_prefixes = {contract::k_bundle_prefix, contract::k_base_prefix};
  if (bundles.empty() || bundles.size() > k_prefixes.size()) return false;
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    const auto& [file, digest] = std::tie(bundles[i].file, bundles[i].digest);
    if (!base::is_digest(digest) || file != file_of_bundle(k_prefixes.at(i), digest)) return false;
  }
  return true;
}

base::Result<StoredBundle> open_entry(const fs::path& entry) {
  BASE_TRY_ASSIGN(const std::string text, base::read_file(entry / contract::k_record));
  BASE_TRY_ASSIGN(auto record, contract::parse_build_record(text, (entry / contract::k_record).string()));
  if (!names_bundles(record.bundles)) {
    return base::fail(base::ErrorKind::io, (entry / contract::k_record).string(), "names no bundle");
  }
  BASE_TRY(verify(entry, text, record.bundles));
  return StoredBundle{entry,
                      {std::move(record.bundles),
                       {std::move(record.packages), std::move(record.requirements),
                        std::move(record.libraries), std::move(record.modules)}}};
}

}  // namespace

void BundleContent::put_into(contract::BuildRecord& record) const {
  record.bundles = bundles;
  record.packages = made.packages;
  record.requirements = made.requirements;
  record.libraries = made.libraries;
}

std::string file_of_bundle(const std::string& prefix, const std::string& digest) {
  return prefix + digest + contract::k_bundle_suffix;
}

BundleStore::Lookup BundleStore::find(const std::string& key) const {
  const fs::path entry = entry_of(key);
  boost::system::error_code error;
  if (!fs::exists(entry, error)) return {};
  auto opened = open_entry(entry);
  if (opened) {
    caches::mark_used(caches::stamp_of_bundle(entry));
    return {std::move(*opened), ""};
  }
  return {std::nullopt, base::without_hint(opened.error())};
}

base::Result<base::FileLock> BundleStore::lock(const std::string& key,
                                               const std::function<void()>& before_waiting) const {
  const fs::path folder = m_folder / "locks";
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  BASE_TRY_ASSIGN(auto lock, base::FileLock::try_acquire(folder / key));
  if (lock.held()) return lock;
  before_waiting();
  return base::FileLock::acquire(folder / key);
}

base::Result<StoredBundle> BundleStore::add(const std::string& key, const std::vector<fs::path>& files,
                                            BundleContent content, const base::Workspace& workspace) const {
  const fs::path fresh = workspace.path() / ("entry-" + key);
  BASE_TRY(base::make_folders(fresh, base::k_owner_writes));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const fs::path file = fresh / content.bundles.at(i).file;
    BASE_TRY(base::link_or_copy_file(files[i], file, k_bundle_mode));
    if (::chmod(file.c_str(), k_bundle_mode) != 0)
      return base::fail(base::system_error("write", file.string(), errno));
  }
  contract::BuildRecord record;
  record.key = key;
  content.put_into(record);
  record.modules = content.made.modules;
  const std::string text = contract::to_json(record);
  BASE_TRY(base::write_file(fresh / contract::k_record, text));
  BASE_TRY(seal(fresh, text, content.bundles));

  BASE_TRY(put_in_place(fresh, key));
  return StoredBundle{entry_of(key), std::move(content)};
}

base::Result<StoredBundle> BundleStore::add_name(const std::string& key, StoredBundle stored,
                                                 const base::Workspace& workspace) const {
  const fs::path fresh = workspace.path() / ("entry-" + key);
  BASE_TRY(base::make_folders(fresh, base::k_owner_writes));
  std::vector<std::string> names = {contract::k_record, caches::stamp_of_bundle("").string()};
  for (const auto& bundle : stored.content.bundles) names.push_back(bundle.file);
  for (const auto& name : names) {
    BASE_TRY(base::link_or_copy_file(stored.folder / name, fresh / name, k_bundle_mode));
  }
  BASE_TRY(put_in_place(fresh, key));
  stored.folder = entry_of(key);
  return stored;
}

base::Status BundleStore::put_in_place(const fs::path& fresh, const std::string& key) const {
  const fs::path entry = entry_of(key);
  BASE_TRY(base::remove_tree(entry));
  BASE_TRY(base::make_folders(entry.parent_path(), base::k_owner_writes));
  return base::rename_path(fresh, entry);
}

}  // namespace builder
