// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/remote_commits.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "base/time_text.h"
#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/pfs/file_hash.h"

namespace local {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RemoteFile, path, size, hash)

namespace {

using base::ErrorKind;
using Json = nlohmann::json;
namespace fs = base::fs;

// How long a cluster may take to say where a branch is, if there is something to go on with.
constexpr std::chrono::milliseconds k_longest_silence{10'000};
// Raise it when the meaning of what is kept changes.
constexpr int k_listing_version = 1;
constexpr int k_known_version = 1;
constexpr char k_listing[] = "listing";

std::string key_of_file(const std::string& digest, std::uint64_t size) {
  base::Sha256 key;
  key.update_field("file of pfs 1");
  key.update_field(digest);
  key.update_field(std::to_string(size));
  return key.finish();
}

std::string key_of_listing(const std::string& address, const std::string& id) {
  base::Sha256 key;
  key.update_field("listing of pfs");
  key.update_field(address.substr(0, address.find('@')));
  key.update_field(id);
  return key.finish();
}

base::Result<Commit> to_commit(const std::vector<RemoteFile>& listed, const std::string& address,
                               std::string id) {
  std::vector<Commit::File> files;
  files.reserve(listed.size());
  for (const auto& file : listed) {
    const auto hash = base::from_base64(file.hash);
    if (!hash || hash->size() * 2 != base::k_digest_length)
      return base::fail(ErrorKind::io, address,
                        "has " + base::quoted(file.path) + " with an unknown kind of hash");
    files.push_back({file.path, base::to_hex(*hash), file.size, {}});
  }
  auto commit = commit_of_files(std::move(files));
  commit.is_ours = true;
  commit.address = address;
  commit.id = std::move(id);
  return commit;
}

// "40 s", "3 h": in the largest unit of which there are at least two.
std::string age_text(std::int64_t seconds) {
  constexpr std::int64_t k_minute = 60;
  constexpr std::int64_t k_hour = 60 * k_minute;
  constexpr std::int64_t k_day = 24 * k_hour;
  for (const auto& [unit, name] :
       {std::pair(k_day, "days"), std::pair(k_hour, "h"), std::pair(k_minute, "min")}) {
    if (seconds >= 2 * unit) return std::to_string(seconds / unit) + " " + name;
  }
  return std::to_string(std::max<std::int64_t>(seconds, 0)) + " s";
}

}  // namespace

base::Result<Commit> RemoteCommits::find(const std::string& address, const Warn& warn) {
  const std::lock_guard lock(m_mutex);
  if (const auto known = m_commits.find(address); known != m_commits.end()) return known->second;
  BASE_TRY_ASSIGN(const auto id, id_of(address, warn));
  BASE_TRY_ASSIGN(const auto files, listing(address, id));
  BASE_TRY_ASSIGN(auto commit, to_commit(files, address, id));
  m_commits.emplace(address, commit);
  return commit;
}

base::Result<std::string> RemoteCommits::id_of(const std::string& address, const Warn& warn) {
  // What is known needs no cluster.
  if (auto id = m_repos->id_in(address); !id.empty() && known_listing(address, id)) return id;
  const auto known = last_known(address);
  base::Error silence;
  if (!known || !m_is_offline) {
    auto id = m_repos->find(address, known ? k_longest_silence : std::chrono::milliseconds(0));
    if (id) {
      BASE_TRY(base::make_folders(memory_of(address).parent_path(), 0700));
      BASE_TRY(
          save_sealed(memory_of(address), k_known_version, {{"id", *id}, {"time", base::seconds_now()}}));
      return id;
    }
    if (id.error().kind != ErrorKind::unavailable || !known || !known_listing(address, known->id)) return id;
    silence = id.error();
    m_is_offline = true;
  }
  warn("the cluster cannot be reached; " + address + " is commit " + known->id + ", as of " +
       age_text(base::seconds_now() - known->time) + " ago");
  return known->id;
}

fs::path RemoteCommits::memory_of(const std::string& address) const {
  base::Sha256 name;
  name.update_field(m_repos->identity());
  name.update_field(address);
  return m_cache / "clusters" / name.finish();
}

std::optional<RemoteCommits::Known> RemoteCommits::last_known(const std::string& address) const {
  const auto json = load_sealed(memory_of(address), k_known_version);
  try {
    if (json) return Known{json->at("id").get<std::string>(), json->at("time").get<std::int64_t>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

base::Result<std::vector<RemoteFile>> RemoteCommits::listing(const std::string& address,
                                                             const std::string& id) {
  if (auto known = known_listing(address, id)) return std::move(*known);
  BASE_TRY_ASSIGN(auto files, m_repos->list(address, id));
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return path_less(a.path, b.path); });
  BASE_TRY(keep_listing(address, id, files));
  return files;
}

std::optional<std::vector<RemoteFile>> RemoteCommits::known_listing(const std::string& address,
                                                                    const std::string& id) const {
  const auto found = m_store.find(key_of_listing(address, id));
  if (!found || found->size() != 1) return std::nullopt;
  const auto json = load_sealed(m_store.object(found->front().digest), k_listing_version);
  try {
    if (json) return json->at("files").get<std::vector<RemoteFile>>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

base::Status RemoteCommits::keep_listing(const std::string& address, const std::string& id,
                                         const std::vector<RemoteFile>& files) {
  BASE_TRY_ASSIGN(const auto work, make_scratch(m_cache));
  const auto folder = work.path() / "out";
  BASE_TRY(base::make_folders(folder, 0700));
  BASE_TRY(save_sealed(folder / k_listing, k_listing_version, {{"files", files}}));
  BASE_TRY_ASSIGN(const auto tree, OutputTree::open(folder));
  BASE_TRY(m_store.add(key_of_listing(address, id), tree));
  return {};
}

base::Result<std::vector<ResultFile>> RemoteCommits::fetch(const Commit& commit,
                                                           const std::vector<std::size_t>& places) {
  const std::lock_guard lock(m_mutex);
  const auto find = [&](std::size_t place) {
    const auto& file = commit.files[place];
    return m_store.find(key_of_file(file.digest, file.size));
  };
  std::vector<std::size_t> missing;
  std::set<std::string> digests;  // one file of each content is enough
  for (const auto place : places) {
    if (!find(place) && digests.insert(commit.files[place].digest).second) missing.push_back(place);
  }
  if (!missing.empty()) BASE_TRY(bring(commit, missing));
  std::vector<ResultFile> files;
  files.reserve(places.size());
  for (const auto place : places) {
    auto found = find(place);
    if (!found || found->size() != 1)
      return base::fail(ErrorKind::io, m_cache.string(), "lost a file that had just been stored");
    files.push_back({commit.files[place].path, found->front().digest, found->front().size});
  }
  return files;
}

base::Status RemoteCommits::bring(const Commit& commit, const std::vector<std::size_t>& missing) {
  BASE_TRY_ASSIGN(const auto listed, listing(commit.address, commit.id));
  std::vector<bool> wanted(listed.size());
  for (const auto place : missing) wanted.at(place) = true;
  BASE_TRY_ASSIGN(const auto work, make_scratch(m_cache));
  const auto folder = work.path() / "files";
  BASE_TRY(base::make_folders(folder, 0700));
  BASE_TRY(m_repos->get(commit.address, commit.id, listed, wanted, folder));
  std::unordered_map<std::string_view, std::size_t> by_path;
  for (std::size_t i = 0; i < listed.size(); ++i) by_path.emplace(listed[i].path, i);
  BASE_TRY_ASSIGN(const auto tree, OutputTree::open(folder));
  BASE_TRY(m_store.add_each(tree, [&](const OutputTree::File& file) -> base::Result<std::string> {
    const auto known = by_path.find(file.path);
    if (known == by_path.end()) return std::string();
    const auto& entry = listed[known->second];
    BASE_TRY_ASSIGN(const auto hash, pfs::file_hash(folder / file.path));
    if (file.size == entry.size && hash == entry.hash) {
      wanted[known->second] = false;
      return key_of_file(commit.files[known->second].digest, entry.size);
    }
    return base::fail(ErrorKind::network, commit.address + ":/" + entry.path,
                      "the received content does not match the hash on the cluster", "run it again");
  }));
  const auto absent = std::find(wanted.begin(), wanted.end(), true);
  if (absent == wanted.end()) return {};
  return base::fail(ErrorKind::network,
                    commit.address + ":/" + listed[static_cast<std::size_t>(absent - wanted.begin())].path,
                    "did not arrive, although the cluster lists it", "run it again");
}

}  // namespace local
