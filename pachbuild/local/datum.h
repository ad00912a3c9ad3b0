// SPDX-License-Identifier: Apache-2.0
// Datums: which parts of the inputs each run of the program gets to see.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/file_digests.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

// A repo as it is now: its folder, and the digest of each file by path, a folder's files together.
struct Repo {
  struct File {
    std::string path;
    std::string digest;
  };
  std::string folder;
  std::vector<File> files;
  std::string digest;  // of everything; its first half stands for a commit id
};

base::Result<Repo> read_repo(const std::string& folder, FileDigests& digests);

// One input of one datum.
struct DatumPart {
  const spec::PfsInput* input = nullptr;
  const Repo* repo = nullptr;
  std::string path;    // of the matched file or folder in the repo; empty for the root
  std::string digest;  // of its content

  // "scraper/a.html": for people.
  [[nodiscard]] std::string label() const;
  // "/pfs/scraper/a.html": what the program finds in the variable of the input's name.
  [[nodiscard]] std::string path_in_pfs() const;
};

struct Datum {
  std::vector<DatumPart> parts;  // in the order of the spec

  [[nodiscard]] std::string label() const;
  // Of `job` (the code and its settings) and all that the datum sees: same key, same output.
  [[nodiscard]] std::string key(const std::string& job) const;
};

// The datums of `input` in the order of their paths; `repos` has each of its repos by name.
base::Result<std::vector<Datum>> list_datums(const spec::Input& input,
                                             const std::map<std::string, Repo>& repos);

}  // namespace local
