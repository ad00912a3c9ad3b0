// SPDX-License-Identifier: Apache-2.0
// What may be in a source: "go.mod", "**/*.R", "package.json#/engines/node".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/file_pattern.h"

namespace builder::declared {

struct Reference {
  // Fails with bad_input; `what` names the fault.
  static base::Result<Reference> parse(const std::string& text);

  std::string text;                  // as it is written
  FilePattern files;                 // of a value: the one file
  std::vector<std::string> pointer;  // the keys that lead to the value
  bool is_value = false;
};

using References = std::vector<Reference>;

}  // namespace builder::declared
