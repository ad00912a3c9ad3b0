// SPDX-License-Identifier: Apache-2.0
// The repos of a cluster, as far as a run needs them: which commit is there, which files it has, and their
// content. An interface, so that this library knows nothing of how a cluster is reached. Safe on any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace process {
class Interruption;
}

namespace local {

struct RemoteFile {
  std::string path;  // "dir/a.txt"; never out of a folder
  std::uint64_t size = 0;
  std::string hash;  // PFS's own: pfs::file_hash()
};

class RemoteRepos {
 public:
  RemoteRepos() = default;
  RemoteRepos(const RemoteRepos&) = delete;
  RemoteRepos& operator=(const RemoteRepos&) = delete;
  virtual ~RemoteRepos() = default;

  // What tells the cluster from others; asks nobody.
  virtual std::string identity() = 0;
  // The id that an address names itself, which means the same for ever; empty: a branch or the like.
  virtual std::string id_in(const std::string& address) = 0;
  // The id of the commit that an address means now. A cluster that does not answer, within `limit` if that is
  // not 0, is an error of kind unavailable.
  virtual base::Result<std::string> find(const std::string& address, std::chrono::milliseconds limit) = 0;
  // The files of the commit `id`, in any order.
  virtual base::Result<std::vector<RemoteFile>> list(const std::string& address, const std::string& id) = 0;
  // Brings those of `files` (all of list(), sorted as path_less() does) that are `wanted` into an empty
  // folder; others may come along.
  virtual base::Status get(const std::string& address, const std::string& id,
                           const std::vector<RemoteFile>& files, const std::vector<bool>& wanted,
                           const base::fs::path& folder) = 0;
  // From now on a signal ends what it does.
  virtual void watch(process::Interruption& interruption) = 0;
};

// Of options "--input REPO=pfs:ADDRESS".
inline constexpr char k_remote_prefix[] = "pfs:";

}  // namespace local
