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

// A commit's files.
struct StoredSource {
  std::string commit;  // empty: there is none yet
  std::map<std::string, StoredFile> files;
  std::vector<std::string> leftovers;  // branches of earlier runs of send_source() that were killed
};

// What is on the repo's branch; the repo must exist.
base::Result<StoredSource> read_source(const Pachctl& pachctl, const std::string& repo);

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

base::Status delete_branches(const Pachctl& pachctl, const std::string& repo,
                             const std::vector<std::string>& branches);

}  // namespace cluster
