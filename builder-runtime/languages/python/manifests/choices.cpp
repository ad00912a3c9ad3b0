// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/choices.h"

#include <algorithm>
#include <array>

#include "base/near.h"
#include "base/text.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

namespace builder::python {
namespace {

using data::Value;
using Names = std::vector<std::string>;

constexpr char k_pyproject[] = "pyproject.toml";

bool is_of_poetry(const Manifest& manifest) {
  return manifest.kind == ManifestKind::poetry || manifest.kind == ManifestKind::poetry_lock;
}

void add_keys(const Value& table, Names& names) {
  for (const auto& member : table.members) names.push_back(member.key);
}

Names groups_in(const Manifest& manifest) {
  Names names;
  add_keys(manifest.project.at("dependency-groups"), names);
  if (is_of_poetry(manifest)) {
    add_keys(manifest.project.at("tool.poetry.group"), names);
    names.emplace_back("main");
  } else if (manifest.project.at("tool.uv.dev-dependencies").exists()) {
    names.emplace_back("dev");
  }
  return names;
}

Names extras_in(const Manifest& manifest) {
  Names names;
  add_keys(manifest.project.at("project.optional-dependencies"), names);
  if (is_of_poetry(manifest)) add_keys(manifest.project.at("tool.poetry.extras"), names);
  return names;
}

// uv takes a name in any form of it (PEP 685, PEP 735), our own readers as it is written.
bool has_name(const Manifest& manifest, const Names& known, const std::string& name) {
  const bool is_for_uv = manifest.kind == ManifestKind::uv_lock || manifest.kind == ManifestKind::project;
  return std::any_of(known.begin(), known.end(), [&](const std::string& other) {
    return other == name || (is_for_uv && normalised_name(other) == normalised_name(name));
  });
}

}  // namespace

base::Status check_choices(const SourceSettings& settings, const Manifest& manifest) {
  constexpr std::array k_kinds = {ManifestKind::uv_lock, ManifestKind::poetry_lock, ManifestKind::pdm_lock,
                                  ManifestKind::project, ManifestKind::poetry};
  if (manifest.is_inline() || std::find(k_kinds.begin(), k_kinds.end(), manifest.kind) == k_kinds.end())
    return {};
  const auto check = [&](const std::string& key, const std::string& kind, const Names& names,
                         const Names& known) -> base::Status {
    for (const auto& name : names) {
      if (!has_name(manifest, known, name))
        return base::fail(no_such_choice(settings.places.where(key), k_pyproject, kind, name, known));
    }
    return {};
  };
  BASE_TRY(check("python.groups", "group", settings.python.groups, groups_in(manifest)));
  // What builds the project may know more of them.
  const auto dynamic = manifest.project.texts("project.dynamic");
  if (std::find(dynamic.begin(), dynamic.end(), "optional-dependencies") != dynamic.end()) return {};
  return check("python.extras", "extra", settings.python.extras, extras_in(manifest));
}

base::Error no_such_choice(const std::string& where, const std::string& file, const std::string& kind,
                           const std::string& name, const Names& known) {
  const std::string all = known.empty() ? "" : "it has " + base::join(known, ", ");
  return {base::ErrorKind::bad_input, where, file + " has no " + kind + " " + name,
          base::did_you_mean(name, known, all)};
}

bool is_category(std::string_view table) {
  constexpr std::array<std::string_view, 7> k_others = {"packages", "source",  "requires", "pipenv",
                                                        "scripts",  "default", "_meta"};
  return std::find(k_others.begin(), k_others.end(), table) == k_others.end();
}

}  // namespace builder::python
