// SPDX-License-Identifier: Apache-2.0
// What a program imports, and whether anybody has it: a package that nobody listed may be there on one
// machine and missing on the next.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "builder-runtime/languages/python/program/entry.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// An import of something that neither the standard library nor the source has.
struct OutsideImport {
  std::string file;  // relative to the source; empty: the command line itself
  int line = 0;
  std::string name;  // "yaml", "google.cloud.storage"
  // It happens only when one of each of these groups is missing: what is in an `except ImportError`.
  std::vector<std::vector<std::string>> unless;
  bool is_own = false;      // of a package of the source: what its build would have made
  bool is_on_path = false;  // in a folder of PYTHONPATH, which every program sees
  base::fs::path image;     // the folder of the image's own packages that has it; empty: none
  bool operator==(const OutsideImport&) const = default;
};

struct Imports {
  std::vector<base::fs::path> files;  // of the source, relative to it: those that were read
  std::vector<OutsideImport> outside;
};

// Checks the program's syntax and follows its imports through the source (read_imports.py), once for each
// state of the files that this reads.
base::Result<Imports> read_imports(const base::fs::path& source, const Entry& entry,
                                   const Interpreter& interpreter, const Tools& tools);

// Who could have what is imported.
struct Visible {
  std::vector<std::string> modules;  // of the environment: importable_names()
  bool has_image_packages = false;   // those of the image as well
  std::string manifest;  // where a package is to be added: "requirements.txt"; empty: there is none
  std::map<std::string, std::string> optional;  // what would be installed if it were asked for
  // The image is a person's machine, and the program runs in another one elsewhere: imports that only this
  // one has are missing as well.
  bool is_this_machine = false;
};

// The names below which a folder of installed packages has modules: "yaml", "google.cloud.storage" where
// google and google.cloud are namespaces.
std::vector<std::string> importable_names(const base::fs::path& site_packages);

// Those that nobody has, each package once.
std::vector<OutsideImport> missing_imports(const Imports& imports, const Visible& visible,
                                           const base::fs::path& source);

// "main.py:3: imports yaml, which is not installed: add PyYAML to requirements.txt"
std::string describe(const OutsideImport& import, const Visible& visible);

// The distribution that most likely has a package: "scikit-learn" for "sklearn".
std::string distribution_of(const std::string& package);

}  // namespace builder::python
