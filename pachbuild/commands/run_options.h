// SPDX-License-Identifier: Apache-2.0
// The options of the verbs that run pipelines here: which, over which data, where, with which secrets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/local/session/session.h"
#include "pachbuild/source/source.h"

namespace commands {

struct RunOptions {
  DataOptions data;
  std::vector<std::string> datums;
  std::string runtime = "none";
  std::string image_prefix;
  std::uint64_t largest_file = source::k_largest_file;
  std::vector<std::string> secrets;  // "NAME=PATH"
  bool pull = false;
  bool host_commands = false;
  bool quiet = false;  // no warnings

  void add_to(CLI::App& verb);

  struct Prepared {
    local::Plan plan;
    local::SessionOptions session;
  };
  // What is to be run, and how. Warns of what has no effect on this machine. `arguments`: of the program.
  [[nodiscard]] base::Result<Prepared> prepare(std::vector<std::string> arguments) const;
};

}  // namespace commands
