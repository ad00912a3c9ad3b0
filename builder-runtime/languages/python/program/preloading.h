// SPDX-License-Identifier: Apache-2.0
// Which packages of a program could be imported before it starts (docs/python.md, "Preloading").
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "builder-runtime/languages/python/program/imports.h"

namespace builder::python {

struct Preloadable {
  std::vector<std::string> modules;  // "pandas", "sklearn.metrics.f1_score": what is imported for certain
  std::string obstacle;  // "main.py:3: sets an environment variable": why not; then there are none
};

// Of the installed packages that the program and its source import. None where the source does something
// before that may change what an import does: it sets variables, or where modules are found.
// `has_image_packages`: the program finds those of the image before those that are installed.
Preloadable find_preloadable(const base::fs::path& source, const Imports& imports, bool has_image_packages);

// The first thing in the program or its source that may change what an import does; empty if there is
// nothing.
std::string preloading_obstacle(const base::fs::path& source, const Imports& imports);

}  // namespace builder::python
