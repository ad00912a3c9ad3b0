// SPDX-License-Identifier: Apache-2.0
// The source of a pipeline in its repo, branch master: what differs from the files here, and how it gets
// there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/cluster/side_by_side.h"
#include "pachbuild/source/source.h"

namespace cluster {

struct StoredFile {
  std::uint64_t bytes = 0;
  std::string hash;    // PFS's own
  std::string sha256;  // of a large file that an Upload has sent; else empty
};

// The branches of a source's repo. Besides the source's own:
//  - a version, which every change of the pipeline or its source replaces in its transaction. If someone else
//    deleted the old version first, the whole transaction fails: of two changes that began with the same
//    version, one wins. (Pipelines of older releases have no version. Two programs that add one at the same
//    time leave two.)
//    A change that sends files makes its new version before the transaction, and the commit on it. Who looks
//    meanwhile sees one version more, and one that was killed leaves it: hence each change replaces every
//    version it has seen. That is always safe: who misses a version starts over.
//  - the mark of a deletion in progress.
//  - of older releases, uploads in progress, and leftovers of killed ones.
struct SourceBranches {
  std::string head;  // of the source; empty: there is no commit yet
  bool is_finished = false;
  bool is_own = false;                         // this program has made the head
  std::map<std::string, std::string> digests;  // SHA-256 of its large files
  std::vector<std::string> versions;
  std::map<std::string, std::string> heads;  // of the versions
  std::vector<std::string> uploads;          // all, also those that run
  std::vector<std::string> leftovers;        // those of them that run no more
  bool is_deleting = false;
};
base::Result<SourceBranches> read_branches(const Pachctl& pachctl, const std::string& repo);

// The same in two steps: which there are, and what the commit at the head is.
base::Result<SourceBranches> list_branches(const Pachctl& pachctl, const std::string& repo);
base::Status read_head(const Pachctl& pachctl, const std::string& repo, SourceBranches& branches);

// A name for a new version, with the first digits of `inputs`: the digest of what determines the artifact, or
// empty if the build pipeline reads the source's repo.
std::string new_version(const std::string& inputs = "");
// Whether the branches have one version, and its name has these `inputs`.
bool has_inputs(const SourceBranches& branches, const std::string& inputs);
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

// The same in steps that can be taken in any order but the last.
base::Result<StoredSource> list_files(const Pachctl& pachctl, const std::string& repo,
                                      const std::string& commit);
base::Status check_finished(const std::string& repo, const SourceBranches& branches);
void add_digests(StoredSource& stored, const SourceBranches& branches);

struct Changes {
  std::vector<source::SourceFile> sent;  // new or different
  std::vector<std::string> removed;      // folders that are gone as a whole end with '/'
  std::uint64_t sent_bytes = 0;
  std::size_t kept = 0;  // files
  [[nodiscard]] bool none() const { return sent.empty() && removed.empty(); }
};

// What must be done to `stored` to have `files` instead.
base::Result<Changes> compare(const StoredSource& stored, const std::vector<source::SourceFile>& files);

// A commit that is to have exactly `files`, on a branch of its own: nothing reads it until the source's
// branch is moved there. Finishing it is left to the transaction that does that.
class Upload {
 public:
  // Copies what is to be sent. `changes` is what compare() gave for `stored`. Calls nothing.
  static base::Result<Upload> prepare(const Pachctl& pachctl, const std::string& repo,
                                      const StoredSource& stored, const Changes& changes,
                                      const std::vector<source::SourceFile>& files);

  // Whether the commit follows another one. Then its branch has to be made before it is started.
  [[nodiscard]] bool has_parent() const { return !m_parent.empty(); }
  base::Status make_branch(const Pachctl& pachctl, const std::string& branch) const;
  base::Status start(const Pachctl& pachctl, const std::string& branch);
  // Adds the calls that bring the files into the commit that was started. They can be made in any order: none
  // of the files that are removed is one that is sent, and Pachyderm removes files, not names above others.
  void send(SideBySide& calls, const Pachctl& pachctl) const;

 private:
  Upload(base::Workspace workspace, std::string repo)
      : m_workspace(std::move(workspace)), m_repo(std::move(repo)) {}

  base::Workspace m_workspace;
  std::string m_repo;
  std::string m_parent;
  std::vector<std::string> m_removed;
  base::fs::path m_files;  // the folder with all that is sent; empty: nothing
  std::string m_description;
  std::string m_commit;
};

// With `must_exist`, a branch that is not there any more is an error.
enum class BranchDeletion { force, must_exist };
base::Status delete_branches(const Pachctl& pachctl, const std::string& repo,
                             const std::vector<std::string>& branches, BranchDeletion deletion);

}  // namespace cluster
