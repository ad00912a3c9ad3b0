// SPDX-License-Identifier: Apache-2.0
// Where each package index of a build comes from, and what is in its way when uv fails. uv has one exit code
// for most of it and words for the rest, so the indexes are asked once more, by the interpreter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/python/install/installation.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// A server that a build asks for packages.
struct IndexPlace {
  std::string url;
  std::string name;         // under which uv looks for its credentials in variables; may be empty
  std::string place;        // what names it: "Pipfile:2", "UV_DEFAULT_INDEX", "~/.config/pip/pip.conf"
  bool is_index = false;    // and not a file's address
  bool is_default = false;  // PyPI, which nothing names
};

// Those of an installation, each server once, the ones that a person named first.
std::vector<IndexPlace> index_places(const Installation& installation, const process::Environment& given);

// What is wrong with an index, in words, and what to do about it.
struct IndexFault {
  std::string what;
  std::string hint;
};

// The first fault that is found; none where every index answers, or Python cannot ask. `only_named`: PyPI is
// left out where nothing names it.
base::Result<std::optional<IndexFault>> find_index_fault(const Installation& installation, const Tools& tools,
                                                         bool only_named);

}  // namespace builder::python
