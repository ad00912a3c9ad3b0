// SPDX-License-Identifier: Apache-2.0
// What is wrong with files of a source, before anything is made of them. What passed is remembered by
// content.
#pragma once

#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/languages/declared/tool_use.h"
#include "builder-runtime/tools.h"

namespace builder::declared {

// `builder_digest` is that of the builder's own files.
base::Status run_checks(const Facts& facts, const std::string& builder_digest,
                        const std::vector<FoundTool>& found, const Tools& tools);

// How many files of each check are not known to pass: what run_checks() would look at.
struct CheckState {
  std::size_t files = 0;
  std::size_t unknown = 0;
};
base::Result<std::vector<CheckState>> state_of_checks(const Facts& facts, const std::string& builder_digest,
                                                      const std::vector<FoundTool>& found,
                                                      const Tools& tools);

}  // namespace builder::declared
