// SPDX-License-Identifier: Apache-2.0
// `pachbuild run`: builds the sources of pipelines and runs these over folders of this machine, each one when
// what it reads is there, as many side by side as there are workers for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/pipelines.h"
#include "pachbuild/local/plan/remote_repos.h"
#include "pachbuild/local/plan/secrets.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/session/events.h"
#include "pachbuild/local/session/shell.h"

namespace local {

// What is told of that which the programs of datums print while they run.
enum class Printed {
  nothing,
  newest,  // of those that run for a second, the end of what is new, ten times a second at most
  all,
};

struct SessionOptions {
  std::string output;                  // the folder of the results; made if it is missing; empty: none
  bool folder_each = false;            // each pipeline's result is in a folder of its name in it
  int workers = 0;                     // datums and builds at once; 0: one per processor
  std::vector<std::string> arguments;  // added to the commands
  std::string engine;                  // "podman" or "docker"; empty: no containers
  Pull pull = Pull::never;             // of the containers' images
  std::string image_prefix;            // of the official builders' images
  Secrets secrets;                     // all that the pipelines read
  std::string tick;                    // the time of the cron inputs' tick, RFC 3339
  bool partial = false;                // export each output when its datum has ended, whatever others do
  bool allow_empty = false;            // accept inputs without a datum
  bool force = false;                  // run datums whose results are known as well
  std::vector<std::string> datums;  // of the plan's last pipeline only these (plan/selection.h); empty: all
  bool only_failed = false;         // of each pipeline only those that failed in its last run
  // Instead of running the plan's last pipeline: in the first of `datums`. Then nothing is exported.
  const ShellOptions* shell = nullptr;
  ExportBy export_by = ExportBy::copy;
  bool tells_interruption = true;       // in a warning
  std::shared_ptr<RemoteRepos> remote;  // for what the plan has of a cluster
  Printed printed = Printed::nothing;
  // Called on any thread, once nothing in the spec of the plan's last pipeline and in these options keeps it
  // from running: its datums are known, or its build failed.
  std::function<void()> accepted;
};

// Runs the plan and tells `events` of it. The exit code of the program: 0, 1 when a datum failed, that of the
// error which ended the first pipeline that could not be run, 128+N when signal N interrupted it. What keeps
// all of it from running is an error.
base::Result<int> run_session(const Plan& plan, const SessionOptions& options, Events& events);

}  // namespace local
