// SPDX-License-Identifier: Apache-2.0
// What runs: the program of a Python source.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/source_settings.h"

namespace builder::python {

struct Entry {
  std::vector<std::string> arguments;  // of the interpreter: {"/pfs/source/main.py"}, {"-m", "tool"}
  base::fs::path file;                 // in the source, whose syntax can be checked; empty: not in it
};

// What the settings name, else main.py, __main__.py, the only script of [project.scripts], the only .py file
// at the root, or the only one there that has a __main__ guard. None and several are errors that list the
// candidates.
base::Result<Entry> find_entry(const base::fs::path& source, const data::Value& project,
                               const SourceSettings& settings);

}  // namespace builder::python
