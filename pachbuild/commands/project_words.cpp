// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/project_words.h"

#include <map>
#include <vector>

#include "base/text.h"

namespace commands {

std::string summary_of(const starter::Project& project) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [path, file] : project) {
    const auto slash = path.find('/');
    ++counts[path.substr(0, slash == std::string::npos ? slash : slash + 1)];
  }
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts)
    parts.push_back(name.ends_with('/') ? name + " (" + base::count_of(count, "file") + ")" : name);
  return base::join(parts, ", ");
}

std::string as_argument(const std::string& folder) {
  return folder.starts_with('-') ? "./" + folder : folder;
}

}  // namespace commands
