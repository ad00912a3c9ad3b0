// SPDX-License-Identifier: Apache-2.0
// `pachbuild dev`: a round is a `pachbuild run` of its own, so nothing can stay from one to the next. This
// process only watches, starts them, and ends those that an edit has made old.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pachbuild/commands/data_options.h"

namespace commands {

struct DevOptions {
  SpecFiles specs;
  std::vector<std::string> data;     // folders that are watched besides
  std::vector<std::string> secrets;  // and files or folders
  std::string output;                // nothing in it is watched; empty: there is none
  std::string report;                // the file of --report; empty: none
  std::vector<std::string> round;    // the words of a round, as a person would give them
  std::vector<std::string> after_dashes;
  bool on_cluster = false;  // the rounds are `update pipeline`
  // The folders of sources, as the specs are now.
  std::function<base::Result<std::vector<base::fs::path>>()> sources;
};

// The exit code.
base::Result<int> run_dev(const DevOptions& options);

}  // namespace commands
