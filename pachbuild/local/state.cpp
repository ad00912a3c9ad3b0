// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/state.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace local {
namespace {

using Json = nlohmann::json;

// Raise it when the meaning of a datum's key or of this file changes.
constexpr int k_version = 1;

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputFile, path, size, modified_ns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileDigests::Entry, size, inode, modified_ns, changed_ns, digest)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(State, datums, owned, digests)

// CBOR, since paths are bytes; written by this program only, so whatever cannot be read is treated as none.
State load_state(const base::fs::path& file) {
  const auto content = base::read_file(file);
  if (!content) return {};
  try {
    const Json json = Json::from_cbor(*content);
    if (json.at("version") == k_version) return json.at("state").get<State>();
  } catch (const Json::exception&) {
    return {};
  }
  return {};
}

base::Status save_state(const State& state, const base::fs::path& file) {
  std::string content;
  Json::to_cbor(Json{{"version", k_version}, {"state", state}}, content);
  return base::write_file(file, content, 0600);
}

bool is_intact(const base::fs::path& output, const std::vector<OutputFile>& files) {
  return std::all_of(files.begin(), files.end(), [&](const OutputFile& file) {
    struct stat status{};
    return ::lstat((output / file.path).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           static_cast<std::uint64_t>(status.st_size) == file.size &&
           nanoseconds(status.st_mtim) == file.modified_ns;
  });
}

}  // namespace local
