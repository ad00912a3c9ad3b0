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
#include "pachbuild/local/results/result_store.h"

namespace local {

class Board {
 public:
  // `folder`, on the disk of the store, gets the files of commits that are ours.
  Board(base::fs::path folder, const ResultStore& store) : m_folder(std::move(folder)), m_store(store) {}

  // A commit of a folder of this machine.
  void add(const std::string& key, Commit commit);
  // A commit of what is in the store.
  void add_result(const std::string& key, std::vector<Commit::File> files);
  // If there is no commit yet, there will be none because of `why`: the name of a pipeline, or nothing for
  // what has been told as an error.
  void give_up(const std::string& key, const std::string& why);

  struct Missing {
    std::string why;
  };
  // Waits for all of `keys`; the first that there will not be is Missing. Interrupted, it fails.
  base::Result<std::optional<Missing>> wait_for(const std::vector<std::string>& keys);

  // The commits, which stay where they are and as they are. After wait_for().
  [[nodiscard]] const Commit& at(const std::string& key) const;

  // Puts the files of a commit that is ours into its folder, if they are not there yet.
  base::Status check_out(const std::string& key);

 private:
  struct Entry {
    std::optional<Commit> commit;
    std::optional<std::string> why;  // there is none
    bool checked_out = false;
    std::mutex checking_out;
  };
  base::Status link(const Commit& commit) const;

  base::fs::path m_folder;
  const ResultStore& m_store;
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::map<std::string, Entry> m_entries;
};

}  // namespace local
