// SPDX-License-Identifier: Apache-2.0
// requirements.txt as far as a key needs it. What its lines mean is uv's business.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"

namespace builder::python {

struct Requirements {
  std::size_t count = 0;  // lines that ask for something; 0: nothing is to be installed
  // Of the file, those it includes (-r, -c) and the variables it uses (not those inside URLs, which may be
  // credentials).
  std::string digest;
  // It installs from files (paths, wheels, -e, --find-links): then the whole source decides the result.
  bool uses_files = false;
  bool has_hashes = false;
  bool no_index = false;  // --no-index is one of the lines
  // Files, relative to the source, that uv gets rewritten: with a requirement that goes on in the next line,
  // which uv takes only before --hash, or with credentials for git (git_credentials.h).
  std::vector<std::string> continued;
};

// Of all `files`, whose names are relative to `source`, together.
base::Result<Requirements> read_requirements(const base::fs::path& source,
                                             const std::vector<std::string>& files,
                                             const process::Environment& environment);

// Lines with their continuations joined and without comments; empty ones are left out.
std::vector<std::string> logical_lines(std::string_view text);

// The text with every line that goes on in the next joined, as it is to be given to uv.
std::string join_lines(const std::string& text);

}  // namespace builder::python
