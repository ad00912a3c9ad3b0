// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/file_digests.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.h"
#include "base/measure.h"
#include "pachbuild/local/pool/cbor.h"

namespace local {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileIdentity, size, inode, modified_ns, changed_ns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileDigests::Entry, identity, digest)

namespace {

using Json = nlohmann::json;

// More than the granularity of file times on any file system (2 s on FAT).
constexpr std::chrono::nanoseconds k_settled = std::chrono::seconds(2);
// The kernel's clock for them ticks at least a hundred times a second (CONFIG_HZ).
constexpr std::chrono::nanoseconds k_tick = std::chrono::milliseconds(10);
// Raise it when the meaning of what is remembered changes.
constexpr int k_digests_version = 2;

std::chrono::nanoseconds age_of(const FileIdentity& identity) {
  return std::chrono::system_clock::now().time_since_epoch() - std::chrono::nanoseconds(identity.changed_ns);
}

}  // namespace

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileIdentity FileIdentity::of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), status.st_ino, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

base::Result<std::string> FileDigests::digest(const std::string& path, const struct stat& status) {
  Entry entry{FileIdentity::of(status), ""};
  const auto known = m_known.find(path);
  if (known != m_known.end() && known->second.identity == entry.identity) {
    entry.digest = known->second.digest;
    base::advance(entry.identity.size);
  } else {
    // A write within the tick of the last one would leave the file's times as they are.
    if (const auto age = age_of(entry.identity); age >= std::chrono::nanoseconds(0) && age < k_tick)
      std::this_thread::sleep_for(k_tick - age);
    BASE_TRY_ASSIGN(entry.digest, base::sha256_of_file(path));
  }
  if (age_of(entry.identity) > k_settled) m_entries[path] = entry;
  return entry.digest;
}

// Whatever cannot be read is treated as none.
FileDigests::Entries load_digests(const base::fs::path& file) {
  const auto content = base::read_file(file);
  if (!content) return {};
  const auto json = from_cbor(*content);
  if (!json) return {};
  try {
    if (json->at("version") == k_digests_version) return json->at("files").get<FileDigests::Entries>();
  } catch (const Json::exception&) {
    return {};
  }
  return {};
}

base::Status save_digests(const FileDigests::Entries& entries, const base::fs::path& file) {
  return base::write_file(file, to_cbor(Json{{"version", k_digests_version}, {"files", entries}}), 0600);
}

}  // namespace local
