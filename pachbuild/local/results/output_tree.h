// SPDX-License-Identifier: Apache-2.0
// What a program left in /pfs/out, once it has ended: looked at by descriptors only, since the program may
// have put links anywhere, and its children may still be at work.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/folder.h"
#include "base/result.h"

namespace local {

class OutputTree {
 public:
  struct File {
    std::string path;  // below the folder: "dir/a.txt"
    std::uint64_t size = 0;
  };

  // The tree in `folder`, which is itself no link.
  static base::Result<OutputTree> open(const base::fs::path& folder);

  // Every file, in the order of their paths; empty folders do not exist for PFS. An error of the datum for
  // what a cluster refuses: a name that PFS cannot store, or anything but files and folders.
  [[nodiscard]] base::Result<std::vector<File>> list() const;

  // Calls `take` for each of `files` with the folder that it is in and its name there.
  using Taker = std::function<base::Status(const base::Folder& folder, const std::string& name, const File&)>;
  base::Status visit(const std::vector<File>& files, const Taker& take) const;

 private:
  explicit OutputTree(base::Folder root) : m_root(std::move(root)) {}
  base::Folder m_root;
};

// Whether this process alone can reach the file from now on: it has one name, which is ours, and nobody has
// it open for writing.
bool is_ours_alone(int file);

// How many folders an output may nest. (A path of PFS has no limit; one of Linux has 4,096 bytes.)
inline constexpr int k_deepest_output = 250;

// The error of a datum whose program has put something else in the place of the folder behind /pfs/out.
base::Error output_replaced();

}  // namespace local
