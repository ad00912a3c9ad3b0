// SPDX-License-Identifier: Apache-2.0
// Makes the virtual environment that a Python bundle is: relocatable, with bytecode for every module, and
// with nothing in it that depends on the place or the time where it was made.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/install/resolution.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// An environment of its own, or what it adds to one with the same interpreter.
enum class Extent { whole, addition };

struct Environment {
  std::vector<std::string> packages;  // "numpy==2.1.3"
  std::vector<std::string> modules;   // that can be imported: importable_names()
};

// Installs a step of the resolution into the empty folder `tree`.
base::Result<Environment> make_environment(const Resolution& resolution, const InstallStep& step,
                                           Extent extent, const Tools& tools, const base::fs::path& tree);

}  // namespace builder::python
