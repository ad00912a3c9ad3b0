// SPDX-License-Identifier: Apache-2.0
// `pachbuild run`: builds the sources of pipelines and runs these over folders of this machine, each one when
// what it reads is there, as many side by side as there are workers for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/pipelines.h"
#include "pachbuild/local/plan/secrets.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/session/events.h"

namespace local {

struct SessionOptions {
  std::string output;                  // the folder of the results; made if it is missing
  bool folder_each = false;            // each pipeline's result is in a folder of its name in it
  int workers = 0;                     // datums and builds at once; 0: one per processor
  std::vector<std::string> arguments;  // added to the commands
  std::string engine;                  // "podman" or "docker"; empty: no containers
  Pull pull = Pull::never;             // of the containers' images
  std::string image_prefix;            // of the official builders' images
  Secrets secrets;                     // all that the pipelines read
  std::string tick;                    // the time of the cron inputs' tick, RFC 3339
  bool partial = false;                // export what there is although datums have failed
  bool allow_empty = false;            // accept inputs without a datum
  bool force = false;                  // run datums whose results are known as well
  ExportBy export_by = ExportBy::copy;
};

// Runs the plan and tells `events` of it. The exit code of the program: 0, 1 when a datum failed, that of the
// error which ended the first pipeline that could not be run, 128+N when signal N interrupted it. What keeps
// all of it from running is an error.
base::Result<int> run_session(const Plan& plan, const SessionOptions& options, Events& events);

}  // namespace local
