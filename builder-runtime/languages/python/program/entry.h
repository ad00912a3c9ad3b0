// SPDX-License-Identifier: Apache-2.0
// What runs: the program of a Python source.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/source_settings.h"
#include "contract/build_record.h"

namespace builder::python {

struct Entry {
  std::vector<std::string> arguments;  // of the interpreter: {"/pfs/source/main.py"}, {"-m", "tool"}
  base::fs::path file;                 // in the source, whose syntax can be checked; empty: not in it
  base::fs::path root;                 // the folder that is first on the import path, relative to the source
  contract::Program program;
  // Of "-m tool" and "tool:main"; empty where a file is the program.
  std::string module;
  std::string function;  // the name of the module's that is called, without what follows a dot
  std::string place;     // where they are written, for errors
};

// What the settings name, else main.py, __main__.py, the console script of the project (of several, the one
// that is named like it), else the only one of the packages that have a __main__ module and the
// files at the root that have a __main__ guard, or the only .py file at the root. None and several are errors
// that list the candidates.
base::Result<Entry> find_entry(const base::fs::path& source, const data::Value& project,
                               const SourceSettings& settings);

// The files at the root that could be programs, where a command of the pipeline's own says which of them it
// is.
std::vector<Entry> find_entries(const base::fs::path& source);

// Whether a package of the source can be run by `python -m`.
bool has_package_with_main(const base::fs::path& source);

}  // namespace builder::python
