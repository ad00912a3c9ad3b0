// SPDX-License-Identifier: Apache-2.0
// What may be in a source: "go.mod", "**/*.R", "package.json#/engines/node".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/file_pattern.h"
#include "builder-runtime/source/data.h"

namespace builder::declared {

// The keys that lead to a value of a JSON or TOML file; a number is a place in an array.
using Pointer = std::vector<std::string>;

// Of "#/engines/node" (RFC 6901, in a fragment). Fails with bad_input where the text does not begin with
// "#/".
base::Result<Pointer> parse_pointer(const std::string& text);

// What the pointer leads to; an absent value where there is nothing.
const data::Value& value_at(const data::Value& value, const Pointer& pointer);

struct Reference {
  // Fails with bad_input; `what` names the fault.
  static base::Result<Reference> parse(const std::string& text);

  // For people: "engines.node in package.json", "*.sh", "file that starts with #!/bin/bash".
  [[nodiscard]] std::string described() const;
  // As the place of an error: "package.json: engines.node".
  [[nodiscard]] std::string place() const;

  std::string text;   // as it is written
  FilePattern files;  // of a value: the one file
  Pointer pointer;    // to the value
  bool is_value = false;
};

using References = std::vector<Reference>;

}  // namespace builder::declared
