// SPDX-License-Identifier: Apache-2.0
#include "process/find_tool.h"

#include "process/command.h"

namespace process {

std::optional<std::string> find_tool(const std::string& name, const std::string& search_path,
                                     const base::fs::path& own) {
  if (auto path = find_program(name, search_path)) return path;
  return find_program((own / name).string(), "");
}

}  // namespace process
