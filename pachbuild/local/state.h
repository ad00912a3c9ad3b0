// SPDX-License-Identifier: Apache-2.0
// What earlier runs of a pipeline into an output folder have left there, so that a datum with the same
// content and code is skipped.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/file_digests.h"

namespace local {

// A file of the output folder as its datum wrote it.
struct OutputFile {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
};

struct State {
  std::map<std::string, std::vector<OutputFile>> datums;  // of successful datums, by key
  std::set<std::string> owned;                            // every path that may be ours in the output folder
  FileDigests::Entries digests;
};

// The state in `file`; none, or one of another version, is an empty state: everything runs.
State load_state(const base::fs::path& file);
base::Status save_state(const State& state, const base::fs::path& file);

// Whether every file is in `output` as it was written.
bool is_intact(const base::fs::path& output, const std::vector<OutputFile>& files);

}  // namespace local
