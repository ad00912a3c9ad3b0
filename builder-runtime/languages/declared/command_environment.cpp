// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/command_environment.h"

#include <algorithm>

#include "builder-runtime/variables.h"

namespace builder::declared {
namespace {

bool is_named(const std::string& name, const std::vector<std::string>& declared) {
  return std::any_of(declared.begin(), declared.end(), [&](const std::string& pattern) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
  });
}

}  // namespace

process::Environment command_environment(const std::vector<std::string>& declared, const Tools& tools) {
  const auto& given = tools.settings().environment;
  process::Environment chosen;
  for (const auto& [name, value] : tools.environment()) {
    const bool counts = role_of_variable(name, given) == VariableRole::input;
    if (!counts || is_set_by_spec(name, given) || is_named(name, declared)) chosen.emplace(name, value);
  }
  return chosen;
}

}  // namespace builder::declared
