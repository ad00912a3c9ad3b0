// SPDX-License-Identifier: Apache-2.0
// The last phase: the artifact into the output folder.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/phases/compile.h"
#include "builder-runtime/tools.h"

namespace builder {

// A file of which the content is known, as it was then (state_of_file).
struct CheckedFile {
  std::string digest;
  std::string state;
  bool operator==(const CheckedFile&) const = default;
};
using CheckedFiles = std::map<std::string, CheckedFile>;  // by name

// Fails where a file in the output folder has the name of one of an artifact's and is none: it is somebody's
// own and not ours to remove. To be asked before anything is built; emit() does not read again what it gives.
base::Result<CheckedFiles> check_out(const fs::path& out);

// What build.json lists of an earlier build is replaced; all other files stay. At every moment the folder
// either has no run.sh or a whole artifact.
base::Status emit(const Artifact& artifact, const Source& source, const CheckedFiles& checked,
                  const Tools& tools);

// Enters the run.sh that a build.sh has left beside our build.json, so that the next build may replace it.
base::Status record_run_script(const fs::path& out);

}  // namespace builder
