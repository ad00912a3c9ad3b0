// SPDX-License-Identifier: Apache-2.0
// build.json: what one program writes the others read as the same, and a record in the cache, which anything
// may have been written to, leads to no file but its own.
#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "builder-runtime/store/bundle_store.h"
#include "builder-runtime/store/cache_limit.h"
#include "contract/build_record.h"
#include "contract/layout.h"
#include "tests/fuzz/target.h"
#include "worker-shim/record_lines.h"

namespace {

using fuzz::require;

std::uint64_t bytes_of(const contract::BuildRecord& record) {
  std::uint64_t bytes = 0;
  for (const auto& bundle : record.bundles) bytes += bundle.bytes;
  return bytes;
}

void read_record(const std::string& text) {
  const auto record = contract::parse_build_record(text, "build.json");
  if (!record) {
    fuzz::require_readable(record.error());
    static_cast<void>(shim::read_record_lines(text));
    return;
  }
  const std::string written = contract::to_json(*record);
  require(contract::parse_build_record(written, "build.json") == *record);
  const auto lines = shim::read_record_lines(written);
  require(lines.has_value());
  require(lines->builder == record->builder && lines->version == record->version);
  require(lines->os == record->platform.os && lines->architecture == record->platform.architecture);
  require(lines->libc == record->platform.libc && lines->interpreter == record->platform.interpreter);
  require(lines->command == record->command);
  require(lines->has_bundle == !record->bundles.empty());
  require(lines->bytes == bytes_of(*record));
}

// A record beside a bundle of the name that it should have.
void find_in_cache(std::string_view input) {
  static const fuzz::Folder folder;
  static const std::string digest = base::sha256("bundle");
  const auto parts = fuzz::parts_of_input(input, 2);
  std::string record = parts[0];
  for (auto at = record.find("DIGEST"); at != std::string::npos; at = record.find("DIGEST"))
    record.replace(at, 6, digest);
  const std::string bundle = std::string(contract::k_bundle_prefix) + digest + contract::k_bundle_suffix;
  folder.write("cache/bundles/key/" + std::string(contract::k_record), record);
  folder.write("cache/bundles/key/seal", parts[1]);
  folder.write("cache/bundles/key/" + bundle, "bundle");
  folder.write("bundle", "bundle");
  const auto found = builder::BundleStore(folder.path() / "cache").find("key");
  require(found.bundle.has_value() == found.damage.empty());
  if (!found.bundle) return;
  require(found.bundle->content.bundles.size() == 1);
  require(found.bundle->content.bundles.front().file == bundle);
}

// How much room is left in a cache.
void read_room(std::string_view text) {
  static const fuzz::Folder folder;
  folder.write("room", text);
  folder.write("work/x", "");
  auto use = builder::CacheUse::begin(folder.path());
  require(use.has_value());
  require(std::move(*use).shrink(1000, {}).has_value());
}

}  // namespace

FUZZ_TARGET(record_fuzz, input) {
  switch (fuzz::take_choice(input, 3)) {
    case 0:
      return read_record(std::string(input));
    case 1:
      return find_in_cache(input);
    default:
      return read_room(input);
  }
}
