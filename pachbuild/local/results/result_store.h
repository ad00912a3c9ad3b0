// SPDX-License-Identifier: Apache-2.0
// The results of datums, for all pipelines of this user: a datum that has run once is not run again, whatever
// becomes of the run, of other datums and of output folders.
//
//   <cache>/results/datums/<2 digits>/<key>      the files of one datum's output: paths, digests, sizes;
//   behind the digest of all that <cache>/results/objects/<2 digits>/<digest>  one file's content
//
// A record appears last, by one rename, when all of its objects are there. Objects are read-only and have one
// fixed time of modification, so that whatever is done to one shows.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "pachbuild/local/results/output_tree.h"

namespace local {

// A file of a datum's output.
struct ResultFile {
  std::string path;    // below /pfs/out
  std::string digest;  // of its content
  std::uint64_t size = 0;
};

class ResultStore {
 public:
  // While it lives, nothing is removed from the store but by shrink().
  static base::Result<ResultStore> open(const base::fs::path& cache);

  // The output of the datum with this key, if it is known and whole; that counts as a use.
  [[nodiscard]] std::optional<std::vector<ResultFile>> find(const std::string& key) const;

  // Takes the files of `tree` over, by renaming where no other process can still write to them and by copying
  // otherwise, and remembers them as the output of `key`. Called by several threads.
  [[nodiscard]] base::Result<std::vector<ResultFile>> add(const std::string& key, const OutputTree& tree);

  // Takes each file of `tree` for which `key_of` gives a key, as the only file ("file") of a record of its
  // own; with an empty key it stays where it is.
  using KeyOf = std::function<base::Result<std::string>(const OutputTree::File&)>;
  base::Status add_each(const OutputTree& tree, const KeyOf& key_of);

  // The file with this content.
  [[nodiscard]] base::fs::path object(const std::string& digest) const;

  // Takes an object that turned out to be damaged away: its datums run again.
  void drop(const std::string& digest) const;

  // Counts a file that is kept beside the store and goes by the same limit: the log of a datum.
  void count_beside(std::uint64_t bytes) { *m_added += bytes; }

  // What a store has on the disk.
  struct Contents {
    std::vector<base::fs::path> folders;  // of records, then of objects: moved away in this order nothing
                                          // that is found is incomplete
    std::size_t records = 0;
    std::chrono::system_clock::time_point used;  // the newest record; the oldest time of all without one
  };
  static base::fs::path folder_in(const base::fs::path& cache);
  static Contents contents(const base::fs::path& cache);
  // The right to take what contents() lists away, and all else that is kept for runs: not held when another
  // pachbuild uses the store. Whoever opens a store waits meanwhile.
  static base::Result<base::FileLock> try_lock_alone(const base::fs::path& cache);

  struct Removed {
    std::size_t datums = 0;
    std::uint64_t bytes = 0;
  };
  struct KeptFile {
    base::fs::path path;
    std::uint64_t bytes = 0;
    std::chrono::system_clock::time_point used;
  };
  // Removes what was not used for longest until the store, and the files that `beside` lists, have at most
  // `limit` bytes (0: no limit); what was used since open() stays. Left to the next one when another
  // pachbuild uses the store.
  using ListKept = std::function<std::vector<KeptFile>()>;
  base::Result<Removed> shrink(std::uint64_t limit, const ListKept& beside) &&;

 private:
  ResultStore(base::fs::path folder, base::FileLock lock, base::Workspace work);
  base::Status remember(const std::string& key, const std::vector<ResultFile>& files);
  base::Result<std::vector<ResultFile>> take_all(const OutputTree& tree);
  base::Result<ResultFile> take(const base::Folder& folder, const std::string& name,
                                const OutputTree::File& file);
  base::Status put_in_place(const base::fs::path& fresh, const ResultFile& file);
  [[nodiscard]] base::fs::path record(const std::string& key) const;
  [[nodiscard]] bool is_whole(const ResultFile& file) const;

  base::fs::path m_folder;
  std::optional<base::FileLock> m_lock;
  std::optional<base::Workspace> m_work;
  std::unique_ptr<std::atomic<std::uint64_t>> m_number;  // of the next file in m_work
  std::unique_ptr<std::atomic<std::uint64_t>> m_added;   // bytes
  std::chrono::system_clock::time_point m_begin = std::chrono::system_clock::now();
};

}  // namespace local
