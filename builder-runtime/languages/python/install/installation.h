// SPDX-License-Identifier: Apache-2.0
// Everything that decides what is installed.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/manifests/pip_configuration.h"
#include "builder-runtime/languages/python/manifests/uv_settings.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "revision/revision.h"

namespace builder::python {

struct Installation {
  base::fs::path source;
  Manifest manifest;
  PythonSettings settings;
  std::string uv;
  std::string uv_version;
  UvConfiguration configuration;
  UvSettings uv_settings;
  Interpreter interpreter;
  Inputs asked;                          // the files that say what to install, and what they name
  Inputs machine;                        // everything else but the source: inputs_of_machine()
  Inputs inputs;                         // all that decides what is installed
  std::vector<std::string> options;      // of requirements files
  std::vector<std::string> credentials;  // see Requirements
  bool uses_files = false;               // it installs from files of the source
  bool requires_hashes = false;          // they say --require-hashes
  bool has_hashes = false;               // of requirements files: every version is fixed by them already
  std::map<std::string, std::string> rewritten;  // see Requirements
  std::optional<revision::Revision> revision;    // of a source whose build makes a version from it
  base::fs::path memory;                         // of what uv chose; empty: it is asked each time
};

// The same, but that uv does not get these of the user's variables.
inline Installation without_variables(Installation installation, std::initializer_list<const char*> names) {
  for (const auto* name : names) installation.configuration.environment.erase(name);
  return installation;
}

}  // namespace builder::python
