// SPDX-License-Identifier: Apache-2.0
// Merges what the datums wrote into the output folder.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/state.h"

namespace local {

// A datum whose files are to be in the output folder.
struct DatumOutput {
  std::string key;
  std::string label;      // for people
  base::fs::path folder;  // where its files wait to be moved; empty: they are there already
  std::vector<OutputFile> files;
};

// A datum that has no output because it failed.
struct MissingDatum {
  std::string label;
  std::string reason;
};

// The file in the output folder that lists the missing datums, when there are any.
inline constexpr char k_missing_file[] = ".pachbuild-missing";

// The files below `folder`.
base::Result<std::vector<OutputFile>> list_output(const base::fs::path& folder);

// Two datums that wrote one path, as an error that names the path and both.
base::Status check_conflicts(const std::vector<DatumOutput>& outputs);

// A file of the person's own that would be overwritten, as an error.
base::Status check_foreign(const base::fs::path& output, const std::vector<DatumOutput>& outputs,
                           const State& state);

// Makes `output` hold the files of `outputs`, whatever else the person keeps there, and no longer what
// earlier runs put there. Each file changes in one step. `state` is brought up to date and saved in
// `state_file`; a run that is killed in between is repaired by the next.
base::Status publish(const base::fs::path& output, const std::vector<DatumOutput>& outputs,
                     const std::vector<MissingDatum>& missing, State& state,
                     const base::fs::path& state_file);

}  // namespace local
