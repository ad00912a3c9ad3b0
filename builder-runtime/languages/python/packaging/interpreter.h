// SPDX-License-Identifier: Apache-2.0
// The Python that a build is for: one of the machine's own interpreters, behind links, virtual environments
// and the shims of pyenv.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/packaging/marker.h"
#include "builder-runtime/languages/python/packaging/version.h"
#include "builder-runtime/tools.h"

namespace builder::python {

struct Interpreter {
  std::string path;      // the base interpreter's real file
  std::string identity;  // "cpython-3.11.2-x86_64-linux-gnu": what compiled modules depend on
  std::string libc;      // "glibc 2.36", "musl"
  std::string version;   // "3.11.2"
  MarkerEnvironment markers;
  base::fs::path choice;  // the file by which pyenv has chosen it; empty: there is none
};

// What a source says about its interpreter.
struct Pin {
  std::string place;  // ".python-version", "pyproject.toml: project.requires-python"
  std::string text;   // as it is written there
  // One of these has to hold.
  std::vector<Specifiers> alternatives;

  [[nodiscard]] bool allows(const Version& version) const;
};

// A pin in PEP 440's form: ">=3.9,<4".
base::Result<Pin> pin_of_specifiers(std::string place, const std::string& text);
// In poetry's: "^3.9".
base::Result<Pin> pin_of_poetry(std::string place, const std::string& text);
// One version, as .python-version and runtime.txt have it: "3.11", "3.11.4", "python-3.11.4".
base::Result<Pin> pin_of_version(std::string place, const std::string& text);

// Two pins that no version of Python satisfies are an error that names both.
base::Status check_agreement(const std::vector<Pin>& pins);

// The first that all pins allow: python3 on PATH, the others on PATH, in /usr/local/bin, pyenv's, uv's own.
base::Result<Interpreter> find_interpreter(const Tools& tools, const std::vector<Pin>& pins);

}  // namespace builder::python
