// SPDX-License-Identifier: Apache-2.0
// The console scripts of a project: commands by the function that each of them calls.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/source/data.h"

namespace builder::python {

struct Script {
  std::string name;
  std::string target;  // "package.module:function"
  std::string place;   // where it is written, for errors
};

struct Scripts {
  std::string file;     // which has them
  std::string project;  // the project's name, "" where the file does not say it
  std::vector<Script> all;
};

// Of [project.scripts], of poetry, or of setup.cfg or setup.py: the first that has any. `project` is
// pyproject.toml. setup.py is a program: scripts that it computes are not known.
Scripts read_scripts(const base::fs::path& source, const data::Value& project);

}  // namespace builder::python
