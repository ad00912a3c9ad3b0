// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/bundle_store.h"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/store/cache_limit.h"
#include "contract/layout.h"

namespace builder {
namespace {

namespace fs = base::fs;

constexpr char k_seal[] = "seal";

// What a file's status was when its digest was last verified. As long as it is the same, so is the content:
// reading 26 MiB again costs more than all the rest of a build that has nothing to do.
base::Result<std::string> seal_of(const fs::path& bundle) {
  struct stat status{};
  if (::stat(bundle.c_str(), &status) != 0)
    return base::fail(base::system_error("read", bundle.string(), errno));
  return base::join({std::to_string(status.st_ino), std::to_string(status.st_size),
                     std::to_string(status.st_mtim.tv_sec), std::to_string(status.st_mtim.tv_nsec)},
                    " ");
}

bool is_sealed(const fs::path& entry, const fs::path& bundle) {
  const auto expected = base::read_file(entry / k_seal);
  const auto seal = seal_of(bundle);
  return expected && seal && *expected == *seal;
}

base::Status seal(const fs::path& entry, const fs::path& bundle) {
  BASE_TRY_ASSIGN(const std::string text, seal_of(bundle));
  return base::write_file(entry / k_seal, text);
}

base::Status verify(const fs::path& entry, const fs::path& bundle, const std::string& digest) {
  if (is_sealed(entry, bundle)) return {};
  BASE_TRY_ASSIGN(const std::string actual, base::sha256_of_file(bundle.string()));
  if (actual != digest) {
    return base::fail(base::ErrorKind::io, bundle.string(), "its digest is not the one in its name");
  }
  // Only saves the next one the work: a read-only cache is fine.
  static_cast<void>(seal(entry, bundle));
  return {};
}

base::Result<StoredBundle> open_entry(const fs::path& entry) {
  BASE_TRY_ASSIGN(const std::string text, base::read_file(entry / contract::k_record));
  BASE_TRY_ASSIGN(auto record, contract::parse_build_record(text, (entry / contract::k_record).string()));
  if (record.bundles.size() != 1 || !base::is_digest(record.bundles.front().digest)) {
    return base::fail(base::ErrorKind::io, (entry / contract::k_record).string(), "names no bundle");
  }
  const auto& bundle = record.bundles.front();
  const fs::path path = entry / (contract::k_bundle_prefix + bundle.digest + contract::k_bundle_suffix);
  BASE_TRY(verify(entry, path, bundle.digest));
  return StoredBundle{
      path,
      {bundle, {std::move(record.packages), std::move(record.requirements), std::move(record.libraries)}}};
}

}  // namespace

void BundleContent::put_into(contract::BuildRecord& record) const {
  record.bundles = {bundle};
  record.packages = made.packages;
  record.requirements = made.requirements;
  record.libraries = made.libraries;
}

fs::path stamp_of_bundle(const fs::path& entry) { return entry / k_seal; }

BundleStore::Lookup BundleStore::find(const std::string& key) const {
  const fs::path entry = entry_of(key);
  boost::system::error_code error;
  if (!fs::exists(entry, error)) return {};
  auto opened = open_entry(entry);
  if (opened) {
    mark_used(stamp_of_bundle(entry));
    return {std::move(*opened), ""};
  }
  return {std::nullopt, opened.error().where + ": " + opened.error().what};
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

base::Result<StoredBundle> BundleStore::add(const std::string& key, const fs::path& bundle,
                                            BundleContent content, const base::Workspace& workspace) const {
  const fs::path fresh = workspace.path() / "entry";
  const fs::path file = fresh / content.bundle.file;
  BASE_TRY(base::make_folders(fresh, base::k_owner_writes));
  BASE_TRY(base::rename_path(bundle, file));
  if (::chmod(file.c_str(), k_bundle_mode) != 0)
    return base::fail(base::system_error("write", file.string(), errno));
  contract::BuildRecord record;
  record.key = key;
  content.put_into(record);
  BASE_TRY(base::write_file(fresh / contract::k_record, contract::to_json(record)));
  BASE_TRY(seal(fresh, file));

  const fs::path entry = entry_of(key);
  BASE_TRY(base::remove_tree(entry));
  BASE_TRY(base::make_folders(entry.parent_path(), base::k_owner_writes));
  BASE_TRY(base::rename_path(fresh, entry));
  return StoredBundle{entry / content.bundle.file, std::move(content)};
}

}  // namespace builder
