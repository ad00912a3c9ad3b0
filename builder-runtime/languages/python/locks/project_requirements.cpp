// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/project_requirements.h"

#include "base/near.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr int k_deepest_group = 32;

base::Status add_text(const Value& text, const std::string& place, std::vector<Wanted>& wanted) {
  const auto requirement = Requirement::parse(text.scalar);
  if (!requirement) {
    return base::fail(ErrorKind::bad_input, "pyproject.toml:" + std::to_string(text.line) + ": " + place,
                      "invalid requirement \"" + text.scalar + "\"");
  }
  wanted.push_back(wanted_of(*requirement));
  return {};
}

base::Status add_texts(const Value& array, const std::string& place, std::vector<Wanted>& wanted) {
  for (const auto& text : array.items) BASE_TRY(add_text(text, place, wanted));
  return {};
}

std::vector<std::string> names_of_groups(const Value& project) {
  std::vector<std::string> names;
  for (const auto& group : project.at("dependency-groups").members) names.push_back(group.key);
  return names;
}

base::Status add_group(const Value& project, const std::string& name, int depth,
                       std::vector<Wanted>& wanted) {
  const std::string place = "dependency-groups." + name;
  const Value& group = project.at("dependency-groups").at(name);
  if (!group.exists() || depth == k_deepest_group) {
    return base::fail(ErrorKind::bad_input, "pyproject.toml: " + place,
                      group.exists() ? "includes itself" : "no such group",
                      group.exists() ? "" : base::did_you_mean(name, names_of_groups(project)));
  }
  for (const auto& item : group.items) {
    if (item.is(Value::Kind::table)) {
      BASE_TRY(add_group(project, item.text("include-group"), depth + 1, wanted));
    } else {
      BASE_TRY(add_text(item, place, wanted));
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<Wanted>> wanted_by_project(const LockRequest& request) {
  std::vector<Wanted> wanted;
  const Value& project = request.manifest.project;
  BASE_TRY(add_texts(project.at("project.dependencies"), "project.dependencies", wanted));
  for (const auto& extra : request.settings.extras) {
    const Value& optional = project.at("project.optional-dependencies").at(extra);
    BASE_TRY(add_texts(optional, "project.optional-dependencies." + extra, wanted));
  }
  for (const auto& group : request.settings.groups) {
    if (project.at("dependency-groups").at(group).exists()) BASE_TRY(add_group(project, group, 0, wanted));
  }
  return wanted;
}

}  // namespace builder::python
