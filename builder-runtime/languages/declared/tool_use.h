// SPDX-License-Identifier: Apache-2.0
// The tools that a builder needs for a source: where they are, which version they have, and whether it is one
// that the source wants.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/tools.h"

namespace builder::declared {

struct FoundTool {
  std::string name;
  std::string path;
  std::string version;   // empty: it was not asked
  std::string identity;  // its part of a key
  std::string wanted;    // of the source; empty: any
};

// Those that are needed, in the order of the file. One that is missing or does not fit is an error.
base::Result<std::vector<FoundTool>> find_tools(const Facts& facts, const Tools& tools);

// A command's words, the first of which is a program on PATH or a path, as they are started. `found` know
// theirs; the hint of a tool is that of its missing.
base::Result<std::vector<std::string>> with_program(std::vector<std::string> words, const Facts& facts,
                                                    const Tools& tools);

}  // namespace builder::declared
