// SPDX-License-Identifier: Apache-2.0
// What has to change before packages are installed again, or their versions chosen again.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/python/install/resolution.h"

namespace builder::python {

struct Keys {
  Inputs all;             // everything that decides what is installed
  std::string choice;     // of everything that decides the versions; empty: they have to be chosen each time
  bool asks_git = false;  // a build of the source makes a version from git
};

// All but what the source asks for: the interpreter, the tools, variables, configuration. `given` is the
// environment of this process.
base::Result<Inputs> inputs_of_machine(const Installation& installation, const process::Environment& given,
                                       const Tools& tools);

base::Result<Keys> keys_of(const Installation& installation);

// Of packages that these lines decide, with hashes.
std::string key_of_lines(const Installation& installation, const std::vector<std::string>& lines);

}  // namespace builder::python
