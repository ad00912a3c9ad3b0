// SPDX-License-Identifier: Apache-2.0
// The source of a pipeline in its repo, branch master: what differs from the files here, and how it gets
// there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/source/source.h"

namespace cluster {

struct StoredFile {
  std::uint64_t bytes = 0;
  std::string hash;    // PFS's own
  std::string sha256;  // of a large file that send_source() has sent; else empty
};

// The branches of a source's repo. Besides the source's own:
//  - a version, which every change of the pipeline or its source replaces in its transaction. If someone else
//    deleted the old version first, the whole transaction fails: of two changes that began with the same
//    version, one wins. (Pipelines of older releases have no version. Two programs that add one at the same
//    time leave two; each change replaces every version it has seen.)
//  - the mark of a deletion in progress.
//  - uploads in progress, and leftovers of killed ones.
struct SourceBranches {
  std::string head;  // of the source; empty: there is no commit yet
  bool is_finished = false;
  bool is_own = false;                         // this program has made the head
  std::map<std::string, std::string> digests;  // SHA-256 of its large files
  std::vector<std::string> versions;
  std::vector<std::string> uploads;    // all, also those that run
  std::vector<std::string> leftovers;  // those of them that run no more
  bool is_deleting = false;
};
base::Result<SourceBranches> read_branches(const Pachctl& pachctl, const std::string& repo);

// A name for a new version.
std::string new_version();
inline constexpr char k_deleting_branch[] = "pachbuild-deleting";

// The commits of a repo that pachbuild did not make.
base::Result<std::vector<std::string>> foreign_commits(const Pachctl& pachctl, const std::string& repo);

// A commit's files.
struct StoredSource {
  std::string commit;  // empty: there is none yet
  std::map<std::string, StoredFile> files;
};

// The files of the head; an error when it is not finished.
base::Result<StoredSource> read_files(const Pachctl& pachctl, const std::string& repo,
                                      const SourceBranches& branches);

struct Changes {
  std::vector<source::SourceFile> sent;  // new or different
  std::vector<std::string> removed;      // folders that are gone as a whole end with '/'
  std::uint64_t sent_bytes = 0;
  std::size_t kept = 0;  // files
  [[nodiscard]] bool none() const { return sent.empty() && removed.empty(); }
};

// What must be done to `stored` to have `files` instead.
base::Result<Changes> compare(const StoredSource& stored, const std::vector<source::SourceFile>& files);

// A finished commit that is on no branch but one of its own: nothing reads it until the source's branch is
// moved there.
struct StagedSource {
  std::string commit;
  std::string branch;  // to be deleted then
};

// Makes a commit that has exactly `files`. `changes` is what compare() gave for `stored`.
base::Result<StagedSource> send_source(const Pachctl& pachctl, const std::string& repo,
                                       const StoredSource& stored, const Changes& changes,
                                       const std::vector<source::SourceFile>& files);

// With `must_exist`, a branch that is not there any more is an error.
enum class BranchDeletion { force, must_exist };
base::Status delete_branches(const Pachctl& pachctl, const std::string& repo,
                             const std::vector<std::string>& branches, BranchDeletion deletion);

}  // namespace cluster
