// SPDX-License-Identifier: Apache-2.0
// Variables in the texts of manifests, locks and configurations. What is not set stays as it is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "process/command.h"

namespace builder::python {

enum class Notation {
  braces,  // ${NAME} of capitals, digits and underscores: requirements files, as pip and uv read them
  shell,   // $NAME and ${NAME}: Pipfile and pdm's sources, as Python's os.path.expandvars reads them
};

struct VariableUse {
  std::size_t begin = 0;  // in the text, of the dollar sign
  std::size_t end = 0;
  std::string name;
};

std::vector<VariableUse> variables_in(std::string_view text, Notation notation = Notation::braces);

std::string expanded(std::string_view text, const process::Environment& environment,
                     Notation notation = Notation::braces);

}  // namespace builder::python
