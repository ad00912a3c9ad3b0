// SPDX-License-Identifier: Apache-2.0
// Commits of a cluster's repos on this machine: what they list, and those of their files that somebody
// needed, kept in the store of results by content, so that the cache's limit counts them and all runs share
// them. What was verified against PFS's hash is there, or nothing. A listing and a file never change; of a
// branch it is remembered where it was last.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/plan/remote_repos.h"
#include "pachbuild/local/results/result_store.h"

namespace local {

class RemoteCommits {
 public:
  using Warn = std::function<void(const std::string&)>;

  // `repos` may be null where nothing is remote. All outlive it.
  RemoteCommits(ResultStore& store, base::fs::path cache, RemoteRepos* repos)
      : m_store(store), m_cache(std::move(cache)), m_repos(repos) {}

  // The commit that an address means, without its files' content: the same for as long as this lives. Where
  // the cluster cannot be reached it is the one that it meant last, which `warn` is told.
  base::Result<Commit> find(const std::string& address, const Warn& warn);

  // What of the files at `places` (in commit.files) is not in the store comes into it: their contents, in the
  // same order.
  base::Result<std::vector<ResultFile>> fetch(const Commit& commit, const std::vector<std::size_t>& places);

 private:
  struct Known {
    std::string id;
    std::int64_t time = 0;  // seconds since 1970, when the cluster said so
  };
  base::Result<std::string> id_of(const std::string& address, const Warn& warn);
  base::Result<std::vector<RemoteFile>> listing(const std::string& address, const std::string& id);
  [[nodiscard]] std::optional<std::vector<RemoteFile>> known_listing(const std::string& address,
                                                                     const std::string& id) const;
  base::Status keep_listing(const std::string& address, const std::string& id,
                            const std::vector<RemoteFile>& files);
  base::Status bring(const Commit& commit, const std::vector<std::size_t>& missing);
  [[nodiscard]] base::fs::path memory_of(const std::string& address) const;
  [[nodiscard]] std::optional<Known> last_known(const std::string& address) const;

  ResultStore& m_store;
  base::fs::path m_cache;
  RemoteRepos* m_repos;
  std::mutex m_mutex;  // one question and one transfer at a time: pachctl does several by itself
  std::map<std::string, Commit> m_commits;  // by address
  bool m_is_offline = false;
};

}  // namespace local
