// SPDX-License-Identifier: Apache-2.0
// The commits of a session: some are read from folders, others appear when a pipeline has run. Whoever needs
// one waits for it here; on any thread.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/results/remote_commits.h"
#include "pachbuild/local/results/result_store.h"

namespace local {

class Board {
 public:
  // `folder`, on the disk of the store, gets the files of commits that are ours.
  Board(base::fs::path folder, const ResultStore& store, RemoteCommits& remote)
      : m_folder(std::move(folder)), m_store(store), m_remote(remote) {}

  // A commit of a folder of this machine.
  void add(const std::string& key, Commit commit);
  // A commit of what is in the store.
  void add_result(const std::string& key, std::vector<Commit::File> files);
  // A commit of a cluster's repo, whose files come when they are checked out.
  void add_remote(const std::string& key, Commit commit);
  // If there is no commit yet, there will be none: the pipeline `writer` has no result, or an error was in
  // the way.
  void give_up(const std::string& key, const std::string& writer);
  void fail(const std::string& key, const base::Error& error);

  // Waits for all of `keys`. The writer of the first that there will not be; nothing when all are there. An
  // error of fail() is given to one that asks, the others get it without its words: it has been told.
  // Interrupted, it fails.
  base::Result<std::optional<std::string>> wait_for(const std::vector<std::string>& keys);

  // The commits, which stay where they are and as they are. After wait_for().
  [[nodiscard]] const Commit& at(const std::string& key) const;

  // Puts the files of a commit that is ours into its folder, if they are not there yet; of a cluster's repo
  // only those of `needed`.
  base::Status check_out(const std::string& key, const std::vector<Commit::Range>& needed);

 private:
  struct Entry {
    std::optional<Commit> commit;
    std::optional<std::string> writer;  // without a result
    std::optional<base::Error> error;
    std::vector<bool> checked_out;  // of its files; empty: nothing yet
    std::mutex checking_out;
  };
  base::Status link(const base::fs::path& folder, const std::vector<ResultFile>& files) const;

  base::fs::path m_folder;
  const ResultStore& m_store;
  RemoteCommits& m_remote;
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::map<std::string, Entry> m_entries;
  bool m_is_told = false;  // the error of fail()
};

}  // namespace local
