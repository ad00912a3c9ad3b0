// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/optional_packages.h"

#include "builder-runtime/languages/python/manifests/choices.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

namespace builder::python {
namespace {

using data::Value;
using Packages = std::map<std::string, std::string>;

void add(const std::string& name, const std::string& choice, const std::string& setting, Packages& packages) {
  packages.emplace(normalised_name(name), "\"" + choice + "\" to " + setting);
}

// Lists of requirements, by the name of a group or an extra.
void add_lists(const Value& table, const std::string& setting, Packages& packages) {
  for (const auto& [choice, list] : table.members) {
    for (const auto& item : list.items) {
      if (const auto requirement = Requirement::parse(item.scalar))
        add(requirement->name, choice, setting, packages);
    }
  }
}

}  // namespace

Packages optional_packages(const base::fs::path& source, const Manifest& manifest) {
  constexpr char k_groups[] = "python.groups";
  constexpr char k_extras[] = "python.extras";
  Packages packages;
  if (manifest.kind == ManifestKind::pipfile || manifest.kind == ManifestKind::pipfile_lock) {
    const auto pipfile = data::read_toml(source / "Pipfile", "Pipfile");
    if (!pipfile) return packages;
    for (const auto& [category, table] : pipfile->members) {
      if (!is_category(category)) continue;
      for (const auto& package : table.members) add(package.key, category, k_groups, packages);
    }
    return packages;
  }
  if (manifest.kind == ManifestKind::requirements || manifest.is_inline()) return packages;
  const Value& project = manifest.project;
  for (const auto& [group, table] : project.at("tool.poetry.group").members) {
    for (const auto& package : table.at("dependencies").members) add(package.key, group, k_groups, packages);
  }
  for (const auto& [extra, names] : project.at("tool.poetry.extras").members) {
    for (const auto& name : names.items) add(name.scalar, extra, k_extras, packages);
  }
  add_lists(project.at("dependency-groups"), k_groups, packages);
  add_lists(project.at("project.optional-dependencies"), k_extras, packages);
  return packages;
}

}  // namespace builder::python
