// SPDX-License-Identifier: Apache-2.0
// Source: docs.astral.sh/uv, "Configuration files" and "Settings".
#include "builder-runtime/languages/python/manifests/uv_settings.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/text.h"
#include "builder-runtime/languages/language.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using data::Value;
using process::value_of;

}  // namespace

fs::path configuration_folder(const process::Environment& environment) {
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  return config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config);
}

base::Result<UvSettings> UvSettings::read(const fs::path& source, const process::Environment& environment) {
  UvSettings settings;
  const auto add = [&](const std::string& place, const fs::path& file,
                       std::string_view table) -> base::Status {
    if (!is_file(file)) return {};
    BASE_TRY_ASSIGN(const Value content, data::read_toml(file, place));
    settings.m_files.push_back({table.empty() ? place : place + ": " + std::string(table),
                                table.empty() ? content : content.at(table)});
    return {};
  };
  if (!value_of(environment, "UV_NO_CONFIG").empty()) return settings;
  if (const auto chosen = value_of(environment, "UV_CONFIG_FILE"); !chosen.empty()) {
    BASE_TRY(add(chosen, fs::absolute(chosen, source), ""));
    return settings;
  }
  // uv.toml replaces [tool.uv] beside it.
  if (is_file(source / "uv.toml")) {
    BASE_TRY(add("uv.toml", source / "uv.toml", ""));
  } else {
    BASE_TRY(add("pyproject.toml", source / "pyproject.toml", "tool.uv"));
  }
  BASE_TRY(add("~/.config/uv/uv.toml", configuration_folder(environment) / "uv" / "uv.toml", ""));
  BASE_TRY(add("/etc/uv/uv.toml", "/etc/uv/uv.toml", ""));
  return settings;
}

const Value& UvSettings::at(std::string_view key) const {
  static const Value absent;
  for (const auto& file : m_files) {
    if (const auto& value = file.settings.at(key); value.exists()) return value;
  }
  return absent;
}

bool UvSettings::has(std::string_view key) const {
  const Value& value = at(key);
  return value.is_true() || !value.items.empty() || !value.members.empty() ||
         (value.is(Value::Kind::text) && !value.scalar.empty());
}

std::string UvSettings::place_of(std::string_view key) const {
  for (const auto& file : m_files) {
    if (file.settings.at(key).exists())
      return file.place + (base::contains(file.place, ": ") ? "." : ": ") + std::string(key);
  }
  return std::string(key);
}

bool is_uv_package(const Value& project) {
  const auto& package = project.at("tool.uv.package");
  return package.exists() ? package.is_true() : project.at("build-system").exists();
}

std::vector<std::string> default_groups(const Value& project) {
  const Value& chosen = project.at("tool.uv.default-groups");
  std::vector<std::string> groups;
  if (chosen.is(Value::Kind::text) && chosen.scalar == "all") {
    for (const auto& member : project.at("dependency-groups").members) groups.push_back(member.key);
  } else {
    for (const auto& item : chosen.items) groups.push_back(item.scalar);
  }
  std::erase(groups, "dev");
  return groups;
}

}  // namespace builder::python
