// SPDX-License-Identifier: Apache-2.0
// pip's own configuration (pip.conf, PIP_… variables) as variables of uv: whoever set up pip for a private
// index has set up the builder. What is set for uv itself counts more.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/python/manifests/pip_options.h"
#include "process/command.h"

namespace builder::python {

// How uv is to be called.
struct UvConfiguration {
  process::Environment environment;
  std::vector<std::string> arguments;  // of every command that looks at an index
  Inputs inputs;                       // the files of pip's configuration, by what they say
  // Indexes that a file of pip's names, and the file: for messages.
  std::vector<std::pair<std::string, std::string>> index_places;
};

// `environment` with the variables of uv that say what pip's configuration says, and arguments for what uv
// has no variable for. The configuration of the interpreter at that path (pip's "site" level) counts as well,
// and more than all of it the options of the requirements files that are read.
UvConfiguration configure_uv(process::Environment environment, const base::fs::path& interpreter,
                             const PipOptions& asked = {});

}  // namespace builder::python
