// SPDX-License-Identifier: Apache-2.0
// Commits: what a repo holds, by path and content. A folder of this machine is where one comes from, the
// result of a pipeline another, a repo of a cluster the third.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/plan/file_digests.h"

namespace local {

struct Commit {
  struct File {
    std::string path;
    std::string digest;  // SHA-256; of a cluster's repo PFS's own hash, as hexadecimal digits
    std::uint64_t size = 0;
    FileIdentity identity;  // when it was digested; of a folder that is not ours
  };
  // Neighbours in `files`.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const Range&) const = default;
  };

  // Where programs get the files from. Others can change them during a run, unless it is ours.
  std::string folder;
  bool is_ours = false;
  std::vector<File> files;  // in the order of their paths, a folder's files together
  std::string digest;       // of everything
  std::string id;           // that programs see: of a cluster's repo its own, else half of the digest
  std::string address;      // of a cluster's repo: "images@master". Its files come when they are needed

  [[nodiscard]] bool is_remote() const { return !address.empty(); }
  // What messages call it: where its files are.
  [[nodiscard]] const std::string& place() const { return is_remote() ? address : folder; }
  [[nodiscard]] Range all() const { return {0, files.size()}; }
  // Of the paths and contents of these files.
  [[nodiscard]] std::string digest_of(const Range& range) const;
  // Of their paths alone.
  [[nodiscard]] std::string listing_of(const Range& range) const;
  [[nodiscard]] std::uint64_t bytes_of(const Range& range) const;
  // Every file and folder and the root (""), with its files.
  [[nodiscard]] std::map<std::string, Range> paths() const;
  // The first of these files that is not what it was ("a.html"); empty: all are.
  [[nodiscard]] std::string changed_file(const Range& range) const;
};

// The commits that inputs read, by repo_key() of the input. Datums point into them.
using Commits = std::map<std::string, const Commit*>;

// What is in a folder now. Without `digests` only paths and sizes: for whoever lists datums and runs none.
// `listed` gets the bytes of all files before the first is read.
base::Result<Commit> commit_of_folder(const base::fs::path& folder, FileDigests* digests,
                                      const std::function<void(std::uint64_t)>& listed = {});

// A commit of these files, which have a path, digest and size, in any order; each path once.
Commit commit_of_files(std::vector<Commit::File> files);

// What the repo of a cron input gets at each tick: an empty file that is named by the time, in RFC 3339.
// (cronTick in src/server/pps/server/monitor.go of 2.12)
Commit::File tick_file(const std::string& time);

// Whether `first` comes before `second` in a commit: by their parts, byte by byte.
bool path_less(std::string_view first, std::string_view second);

}  // namespace local
