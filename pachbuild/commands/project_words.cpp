// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/project_words.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace commands {

namespace {

struct Purpose {
  std::string_view name;
  std::string_view text;
};

// In the order in which people look at them.
constexpr std::array k_purposes = {
    Purpose{"pipeline.json", "the spec: which program, which data"},
    Purpose{"pipelines/", "the specs, one file per pipeline"},
    Purpose{"source/", "the program"},
    Purpose{"data/", "sample data"},
    Purpose{"builder.toml", "how sources are built"},
    Purpose{"probe/", "a source to test the builder with"},
    Purpose{"Dockerfile", "the builder's image"},
    Purpose{"build.sh", "what the image runs"},
    Purpose{"ci.sh", "tests the builder and its image"},
    Purpose{"README.md", "the next steps"},
};
constexpr std::string_view k_other_purpose = "part of the builder that was copied";

}  // namespace

std::vector<std::string> lines_of(const starter::Project& project) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [path, file] : project) {
    const auto slash = path.find('/');
    ++counts[path.substr(0, slash == std::string::npos ? slash : slash + 1)];
  }
  std::size_t width = 0;
  for (const auto& [name, count] : counts) width = std::max(width, name.size());
  std::vector<std::string> lines;
  const auto add = [&](const std::string& name, std::string_view purpose) {
    const auto found = counts.find(name);
    if (found == counts.end()) return;
    const std::string number = name.ends_with('/') ? " (" + base::count_of(found->second, "file") + ")" : "";
    lines.push_back("  " + name + std::string(width - name.size() + 2, ' ') + std::string(purpose) + number);
    counts.erase(found);
  };
  for (const auto& purpose : k_purposes) add(std::string(purpose.name), purpose.text);
  while (!counts.empty()) add(std::string(counts.begin()->first), k_other_purpose);
  return lines;
}

std::string as_argument(const std::string& folder) {
  return folder.starts_with('-') ? "./" + folder : folder;
}

}  // namespace commands
