// SPDX-License-Identifier: Apache-2.0
// requirements.txt as far as a key needs it. What its lines mean is uv's business.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/python/manifests/pip_options.h"
#include "process/command.h"

namespace builder::python {

struct Requirements {
  std::size_t count = 0;  // lines that ask for something; 0: nothing is to be installed
  // The file, those it includes (-r, -c), the variables it uses, and what it names outside of the source.
  Inputs inputs;
  // Its options, without credentials: they decide how the same versions are installed.
  std::vector<std::string> options;
  // Names of the variables that it uses.
  std::vector<std::string> variables;
  // The variables before the '@' of a URL.
  std::vector<std::string> credentials;
  // It installs from files (paths, wheels, -e, --find-links): then the whole source decides the result.
  bool uses_files = false;
  bool has_hashes = false;
  // What its options say. uv gets it with each of its calls.
  PipOptions pip;
  // The text for uv of those files, relative to the source, that it would not read as they are: in another
  // encoding, with a requirement continued in the next line, which uv accepts only before --hash, with
  // options that it does not know, or with credentials for git (git_credentials.h).
  std::map<std::string, std::string> rewritten;
};

// Of all `files`, whose names are relative to `source`, together.
base::Result<Requirements> read_requirements(const base::fs::path& source,
                                             const std::vector<std::string>& files,
                                             const process::Environment& environment);

// The file of "-r FILE", "-rFILE", "--constraint=FILE"; empty for every other line.
std::string included_file(const std::string& line);

// Lines with their continuations joined and without comments; empty ones are left out.
std::vector<std::string> logical_lines(std::string_view text);

// The same, each with the number of the line where it begins.
struct NumberedLine {
  std::size_t number = 0;
  std::string text;
};
std::vector<NumberedLine> numbered_lines(std::string_view text);

}  // namespace builder::python
