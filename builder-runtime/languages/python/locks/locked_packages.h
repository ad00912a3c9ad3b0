// SPDX-License-Identifier: Apache-2.0
// What poetry.lock and pdm.lock have in common: packages with exact versions, what each needs, and the choice
// of those that one interpreter needs for some of the project's requirements.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/python/packaging/marker.h"

namespace builder::python {

// Something that is asked for, by the project or by another package.
struct Wanted {
  std::string name;                       // normalised
  std::vector<std::string> extras;        // of the package that is asked for
  std::vector<std::string> alternatives;  // specifiers, one of which has to hold; none: every version
  std::string marker;
  std::string python;     // specifiers of the interpreter; empty: every one
  std::string for_extra;  // only asked for when this extra of the asking package is; empty: always
};

struct LockedPackage {
  std::string name;  // normalised
  std::string version;
  std::vector<std::string> extras;  // the entry counts only where all of these are asked for
  std::string marker;
  std::vector<std::string> pythons;  // specifiers, one of which has to hold; none: every version
  std::vector<Wanted> needs;
  std::string requirement;          // the line that installs it, without hashes
  std::vector<std::string> hashes;  // "sha256:…"
};

struct Lock {
  std::string file;      // "poetry.lock"
  std::string manifest;  // what it was made from: "pyproject.toml"
  std::string remake;    // the command that makes it anew
  std::vector<LockedPackage> packages;
};

// Lines of a requirements file for all that `wanted` needs, sorted. An error when the lock lacks something or
// has a version of it that the project does not want.
base::Result<std::vector<std::string>> select_packages(const Lock& lock, const std::vector<Wanted>& wanted,
                                                       const MarkerEnvironment& environment);

// "requirement \<newline>    --hash=…"
std::string with_hashes(const std::string& requirement, const std::vector<std::string>& hashes);

}  // namespace builder::python
