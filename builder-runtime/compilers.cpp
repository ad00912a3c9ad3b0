// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/compilers.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <set>

#include "base/text.h"

namespace builder {
namespace {

base::Status add_package_configs(const std::string& variable, const process::Environment& environment,
                                 Inputs& inputs) {
  int number = 0;
  for (const auto& folder : base::split(value_of(environment, variable), ':')) {
    ++number;
    std::vector<fs::path> files;
    boost::system::error_code error;
    if (folder.empty()) continue;
    for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".pc") files.push_back(entry->path());
    }
    for (const auto& file : files) {
      const std::string name = variable + " " + std::to_string(number) + ": " + file.filename().string();
      BASE_TRY(inputs.add_file(name, file));
    }
  }
  return {};
}

}  // namespace

base::Status add_compilers(const std::vector<std::string>& variables, const std::vector<std::string>& names,
                           const process::Environment& environment, const Tools& tools, Inputs& inputs) {
  std::set<std::string> programs(names.begin(), names.end());
  for (const auto& variable : variables) {
    for (const auto& word : base::split(value_of(environment, variable), ' ')) {
      if (!word.empty() && word.front() != '-') programs.insert(word);
    }
  }
  for (const auto& program : programs) tools.add_version(program, inputs);
  BASE_TRY(add_package_configs("PKG_CONFIG_PATH", environment, inputs));
  return add_package_configs("PKG_CONFIG_LIBDIR", environment, inputs);
}

}  // namespace builder
