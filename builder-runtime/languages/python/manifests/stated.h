// SPDX-License-Identifier: Apache-2.0
// What the files of a source ask to be installed, as far as it is in their words: to tell what of it does not
// count, and which versions nobody has chosen. Nothing is installed by this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {

// One requirement of a file.
struct Ask {
  std::string name;  // normalised
  std::string text;  // "numpy>=2"
  // One of these has to hold; none: every version.
  std::vector<Specifiers> alternatives;
  std::optional<Version> exact;  // the only version that is asked for
  bool is_fixed = false;         // no version is left to choose: it is exact, or a URL or a path
};

struct Statement {
  std::string file;  // relative to the source
  std::vector<Ask> asks;
  bool is_readable = true;        // false: a program decides (setup.py)
  bool is_lock = false;           // a lock, or a list with hashes
  bool includes_project = false;  // "." or "-e .": what the project asks for comes along
  std::string made_by;            // the words of a tool at its top about how the file was made; else empty
};

// What the manifest asks for.
Statement statement_of(const base::fs::path& source, const Manifest& manifest);

// Which versions of `packages` ("numpy==2.1.3") have been chosen because the statement leaves them open; ""
// when it leaves none.
std::string unpinned_choices(const Statement& statement, const std::vector<std::string>& packages);

// A line for each file of the source that asks for packages which are not installed, because `manifest` comes
// first; `program` is the file that runs, relative to the source, or empty. None where settings chose it.
std::vector<std::string> shadowed_statements(const base::fs::path& source, const Manifest& manifest,
                                             const std::string& program);

// Where nothing says what to install: the files that look like lists of requirements, with the setting that
// makes them count; "" when there are none.
std::string unlisted_requirements(const base::fs::path& source);

// The error for a source that has a conda file and nothing else; none where it has none.
std::optional<base::Error> conda_error(const base::fs::path& source);

}  // namespace builder::python
