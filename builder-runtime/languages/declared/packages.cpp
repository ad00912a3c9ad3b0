// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/packages.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <set>

#include "base/elf_needs.h"
#include "base/mapped_file.h"
#include "base/stop.h"
#include "builder-runtime/source/data.h"

namespace builder::declared {
namespace {

// One line of build.json each.
bool is_plain(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' '; });
}

void add_package(const std::string& name, const std::string& version, std::set<std::string>& packages) {
  if (is_plain(name)) packages.insert(name + (is_plain(version) ? " " + version : ""));
}

void add_matches(const std::string& text, const Pattern& pattern, std::set<std::string>& packages) {
  for (std::size_t at = 0; at <= text.size();) {
    auto match = pattern.find(text, at);
    if (!match) return;
    at = std::max(match->end, match->begin + 1);
    add_package(match->groups["name"], match->groups["version"], packages);
  }
}

}  // namespace

base::Result<std::vector<std::string>> list_packages(const PackagesDescription& packages,
                                                     const LayerTree& tree, const SourceFiles& source) {
  std::vector<fs::path> files;
  BASE_TRY_ASSIGN(const auto made, tree.files(packages.files));
  for (const auto& path : made) files.push_back(tree.path() / path);
  if (files.empty()) {
    for (const auto& file : source.matching(packages.files)) files.push_back(source.path_of(file.name));
  }
  std::set<std::string> found;
  for (const auto& file : files) {
    BASE_TRY(base::check_stop());
    if (packages.match) {
      BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
      add_matches(text, *packages.match, found);
      continue;
    }
    const auto described = data::read_either(file, file.string());
    if (!described && described.error().kind == base::ErrorKind::bad_input)
      continue;  // no program can read it
    BASE_TRY(described);
    add_package(value_at(*described, *packages.name).scalar, value_at(*described, *packages.version).scalar,
                found);
  }
  return std::vector(found.begin(), found.end());
}

base::Result<std::vector<std::string>> list_libraries(const LayerTree& tree) {
  std::set<std::string> libraries;
  BASE_TRY_ASSIGN(const auto pattern, FilePattern::compile("bin/*"));
  BASE_TRY_ASSIGN(const auto programs, tree.files({pattern}));
  for (const auto& program : programs) {
    boost::system::error_code error;
    if (fs::file_size(tree.path() / program, error) == 0) continue;  // which cannot be mapped
    BASE_TRY_ASSIGN(const auto binary, base::MappedFile::open(tree.path() / program));
    const auto needs = base::elf_needs(binary.content()).value_or(base::ElfNeeds());
    libraries.insert(needs.libraries.begin(), needs.libraries.end());
  }
  return std::vector(libraries.begin(), libraries.end());
}

}  // namespace builder::declared
