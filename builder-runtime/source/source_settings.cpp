// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/source_settings.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <set>

#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/table_reader.h"

namespace builder {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

constexpr char k_file[] = "pachbuild.toml";
constexpr char k_project_file[] = "pyproject.toml";

base::Status check_environment(const SourceSettings& settings) {
  for (const auto& [name, value] : settings.environment) {
    const auto fits = [](unsigned char character) {
      return std::isalnum(character) != 0 || character == '_';
    };
    const bool starts_well = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0;
    if (starts_well && std::all_of(name.begin(), name.end(), fits)) continue;
    return base::fail(ErrorKind::bad_input, settings.places.where_in("environment", "environment." + name),
                      "invalid variable name \"" + name + "\"", "letters, digits and _ only");
  }
  return {};
}

// Of each setting, and of what the tables among them have: "go", "go.environment", "go.environment.GOOS".
void add_lines(const Value& table, const std::string& prefix, std::map<std::string, int>& lines) {
  for (const auto& [key, value] : table.members) {
    lines[prefix + key] = value.line;
    add_lines(value, prefix + key + ".", lines);
  }
}

// The tables of languages that are not compiled in: who builds them reads them.
base::Status take_tables(TableReader& reader, const std::set<std::string>& known,
                         const std::vector<std::string>& languages, SourceSettings& settings) {
  for (const auto& name : languages) {
    if (known.contains(name)) continue;
    BASE_TRY_ASSIGN(const Value* table, reader.take_table(name));
    if (table != nullptr) settings.tables.emplace(name, *table);
  }
  return {};
}

base::Result<SourceSettings> read_table(const Value& table, const std::string& file,
                                        const std::string& prefix, const std::vector<std::string>& declared) {
  SourceSettings settings;
  settings.places = {file, prefix, {}};
  add_lines(table, "", settings.places.lines);
  settings.go.places = settings.places;
  TableReader reader(table, file, prefix);
  BASE_TRY(reader.read("language", settings.language));
  BASE_TRY(reader.read("arguments", settings.arguments));
  BASE_TRY(reader.read("environment", settings.environment));
  std::set<std::string> known = {"language", "arguments", "environment"};
  for (const auto& language : languages()) {
    BASE_TRY(reader.read_table(
        language.name, [&](TableReader& members) { return language.read_settings(members, settings); }));
    known.insert(language.name);
  }
  BASE_TRY(take_tables(reader, known, declared, settings));
  BASE_TRY(reader.finish());
  BASE_TRY(check_environment(settings));
  return settings;
}

}  // namespace

std::string SettingPlaces::name(const std::string& key) const { return file + ": " + prefix + key; }

std::string SettingPlaces::where_in(const std::string& table, const std::string& key) const {
  const auto line = lines.find(key);
  return file + (line == lines.end() ? "" : ":" + std::to_string(line->second)) + ": " + prefix + table;
}

base::Result<SourceSettings> read_source_settings(const fs::path& source,
                                                  const std::vector<std::string>& declared) {
  boost::system::error_code error;
  SourceSettings settings;
  const bool own_file = fs::is_regular_file(source / k_file, error);
  Value project;
  if (fs::is_regular_file(source / k_project_file, error)) {
    BASE_TRY_ASSIGN(project, data::read_toml(source / k_project_file, k_project_file));
  }
  const Value& table = project.at("tool.pachbuild");
  if (own_file && table.exists()) {
    return base::fail(ErrorKind::bad_input, k_file,
                      "conflicts with [tool.pachbuild] in pyproject.toml: both contain settings",
                      "keep one of them");
  }
  if (own_file) {
    BASE_TRY_ASSIGN(const Value own, data::read_toml(source / k_file, k_file));
    return read_table(own, k_file, "", declared);
  }
  if (table.exists()) return read_table(table, k_project_file, "tool.pachbuild.", declared);
  return settings;
}

}  // namespace builder
