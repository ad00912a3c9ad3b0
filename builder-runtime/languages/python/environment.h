// SPDX-License-Identifier: Apache-2.0
// Makes the virtual environment that a Python bundle is: relocatable, with bytecode for every module, and
// with nothing in it that depends on the place or the time where it was made.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/interpreter.h"
#include "builder-runtime/tools.h"

namespace builder::python {

struct Installation {
  base::fs::path source;
  std::string uv;
  Interpreter interpreter;
  bool uses_files = false;  // see Requirements
};

// Installs the source's requirements.txt into the empty folder `tree`. Gives the packages: "numpy==2.1.3".
base::Result<std::vector<std::string>> make_environment(const Installation& installation, const Tools& tools,
                                                        const base::fs::path& tree);

}  // namespace builder::python
