// SPDX-License-Identifier: Apache-2.0
// The files of a repo, to be read here: which there are in a commit, and how they come with few calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

// "images@master", "video/images@ff30813b401d4fd5a09d0c769c14d7d8", "images@master^2", "images": as pachctl
// takes it, with the project before it where it is another one than that of pachctl's context.
struct CommitPlace {
  std::string project;  // empty: the context's
  std::string repo;
  std::string commit;  // a branch, an id, or what pachctl counts from one
};
base::Result<CommitPlace> parse_commit_place(const std::string& text, const std::string& where);
std::string text_of(const CommitPlace& place);

// Whether the place names a commit by its id, which means the same for ever.
bool is_commit_id(const std::string& commit);

// The id of the commit that is there now, which is finished. One that is not, or belongs to a job that
// failed, is an error. A cluster that does not answer (within `limit`, if there is one) is an error of kind
// unavailable.
base::Result<std::string> find_commit(const Pachctl& pachctl, const CommitPlace& place,
                                      std::chrono::milliseconds limit = std::chrono::milliseconds(0));

struct RepoFile {
  std::string path;  // "dir/a.txt"
  std::uint64_t bytes = 0;
  std::string hash;  // PFS's own: pfs::file_hash()
};

// All files of a commit, sorted as a folder's listing is: byte by byte, by their parts. A path that would
// leave a folder is an error.
base::Result<std::vector<RepoFile>> list_commit(const Pachctl& pachctl, const CommitPlace& place);

// Which calls bring files: a folder with all that is in it, or one file.
struct Transfer {
  std::string path;  // of the folder ("" is all) or the file
  bool is_folder = false;
};
// The fewest and smallest for those of `files` (as list_commit() sorts them) that are `wanted`.
std::vector<Transfer> plan_transfers(const std::vector<RepoFile>& files, const std::vector<bool>& wanted);

// Brings them into `folder`, which then has at least what is wanted. Whether it came whole is for the caller
// to see.
base::Status get_files(const Pachctl& pachctl, const CommitPlace& place,
                       const std::vector<Transfer>& transfers, const base::fs::path& folder);

}  // namespace cluster
