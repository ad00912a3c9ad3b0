// SPDX-License-Identifier: Apache-2.0
// requirements.txt as far as a key needs it. What its lines mean is uv's business.
#pragma once

#include <cstddef>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"

namespace builder::python {

inline constexpr char k_requirements[] = "requirements.txt";

struct Requirements {
  std::size_t count = 0;  // lines that ask for something; 0: nothing is to be installed
  // Of the file, those it includes (-r, -c) and the variables it uses (not those inside URLs, which may be
  // credentials).
  std::string digest;
  // It installs from files (paths, wheels, -e, --find-links): then the whole source decides the result.
  bool uses_files = false;
};

// No file is no requirement.
base::Result<Requirements> read_requirements(const base::fs::path& source,
                                             const process::Environment& environment);

}  // namespace builder::python
