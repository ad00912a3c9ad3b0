// SPDX-License-Identifier: Apache-2.0
// `pachbuild run`: builds a pipeline's source and runs the pipeline over folders of this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/container.h"
#include "pachbuild/local/output_folder.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {

struct RunOptions {
  spec::PipelineSpec spec;
  std::map<std::string, std::string> repos;  // the folder of each repo
  std::string output;                        // made if it is missing
  int workers = 0;                           // 0: one per processor
  std::vector<std::string> arguments;        // added to the command
  std::string engine;                        // "podman" or "docker"; empty: no containers
  Pull pull = Pull::never;                   // of the containers' images
  std::string image_prefix;                  // of the official builders' images
  bool show_logs = false;                    // of all datums, not only of those that fail
  bool partial = false;                      // export what there is although datums have failed
  bool allow_empty = false;                  // accept inputs without a datum
  bool force = false;                        // run datums whose results are known as well
  ExportBy export_by = ExportBy::copy;
};

// The exit code of the program: 0, 1 when a datum failed, 128+N when signal N interrupted the run. Whatever
// else goes wrong is an error; one without a text has been told already.
base::Result<int> run(const RunOptions& options);

}  // namespace local
