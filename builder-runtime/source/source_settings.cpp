// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/source_settings.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <functional>

#include "base/text.h"
#include "builder-runtime/source/data.h"

namespace builder {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

constexpr char k_file[] = "pachbuild.toml";
constexpr char k_project_file[] = "pyproject.toml";

// "sklearn.linear_model"; letters of other alphabets are of Python's identifiers as well.
bool is_module(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c > 127; };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

// Takes the settings of one table one by one; what is left at the end is none of ours.
class TableReader {
 public:
  TableReader(const Value& table, std::string file, std::string name)
      : m_table(table), m_file(std::move(file)), m_name(std::move(name)) {}

  base::Status read(const std::string& key, std::string& setting) {
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::text));
    if (value != nullptr) setting = value->scalar;
    return {};
  }

  base::Status read(const std::string& key, std::optional<bool>& setting) {
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::boolean));
    if (value != nullptr) setting = value->is_true();
    return {};
  }

  base::Status read(const std::string& key, bool& setting) {
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::boolean));
    if (value != nullptr) setting = value->is_true();
    return {};
  }

  base::Status read(const std::string& key, std::vector<std::string>& setting) {
    const Value& found = m_table.at(key);
    BASE_TRY_ASSIGN(const Value* value, take(key, found.is(Kind::text) ? Kind::text : Kind::array));
    if (value == nullptr) return {};
    for (const auto& item : value->items) {
      if (!item.is(Kind::text)) return wrong_type(key, item, "a text");
    }
    setting = m_table.texts(key);
    return {};
  }

  base::Status read(const std::string& key, std::map<std::string, std::string>& setting) {
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::table));
    if (value == nullptr) return {};
    for (const auto& [name, item] : value->members) {
      if (!item.is(Kind::text)) return wrong_type(key + "." + name, item, "a text");
      setting[name] = item.scalar;
    }
    return {};
  }

  // `true`, `false`, or modules, which are joined by commas.
  base::Status read_switch_or_modules(const std::string& key, std::string& setting) {
    const Value& found = m_table.at(key);
    if (found.is(Kind::boolean)) {
      bool is_on = false;
      BASE_TRY(read(key, is_on));
      setting = is_on ? "true" : "false";
      return {};
    }
    if (found.exists() && !found.is(Kind::text) && !found.is(Kind::array))
      return wrong_type(key, found, "true, false or an array");
    std::vector<std::string> names;
    BASE_TRY(read(key, names));
    for (const auto& name : names) {
      if (!is_module(name)) {
        return base::fail(ErrorKind::bad_input, place(found, key),
                          "invalid name of a module \"" + name + "\"",
                          "write true, or modules as after import: [\"pandas\", \"sklearn.metrics\"]");
      }
    }
    if (found.exists()) setting = names.empty() ? "false" : base::join(names, ",");
    return {};
  }

  base::Status read(const std::string& key, Refresh& setting) {
    static const std::map<std::string, Refresh> words = {
        {"never", Refresh::never}, {"daily", Refresh::daily}, {"always", Refresh::always}};
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::text));
    if (value == nullptr) return {};
    const auto word = words.find(value->scalar);
    if (word == words.end()) {
      return base::fail(ErrorKind::bad_input, place(*value, key), "is \"" + value->scalar + "\"",
                        "it can be never, daily or always");
    }
    setting = word->second;
    return {};
  }

  // A table of its own inside this one.
  base::Status read_table(const std::string& key,
                          const std::function<base::Status(TableReader&)>& read_members) {
    BASE_TRY_ASSIGN(const Value* value, take(key, Kind::table));
    if (value == nullptr) return {};
    TableReader reader(*value, m_file, m_name + key + ".");
    BASE_TRY(read_members(reader));
    return reader.finish();
  }

  base::Status finish() const {
    for (const auto& [key, value] : m_table.members) {
      if (std::find(m_known.begin(), m_known.end(), key) != m_known.end()) continue;
      return base::fail(ErrorKind::bad_input, place(value, key), "there is no such setting",
                        "those that exist here: " + base::join(m_known, ", "));
    }
    return {};
  }

 private:
  base::Result<const Value*> take(const std::string& key, Kind kind) {
    m_known.push_back(key);
    const Value& value = m_table.at(key);
    if (!value.exists()) return nullptr;
    if (value.is(kind)) return &value;
    return wrong_type(key, value, std::string(data::name_of(kind)));
  }

  tl::unexpected<base::Error> wrong_type(const std::string& key, const Value& value,
                                         const std::string& expected) const {
    return base::fail(ErrorKind::bad_input, place(value, key),
                      "is " + std::string(data::name_of(value.kind)) + " and has to be " + expected);
  }

  // "pachbuild.toml:3: python.refresh"
  [[nodiscard]] std::string place(const Value& value, const std::string& key) const {
    return m_file + ":" + std::to_string(value.line) + ": " + m_name + key;
  }

  const Value& m_table;
  std::string m_file;
  std::string m_name;
  std::vector<std::string> m_known;
};

base::Status check_environment(const SourceSettings& settings) {
  for (const auto& [name, value] : settings.environment) {
    const auto fits = [](unsigned char character) {
      return std::isalnum(character) != 0 || character == '_';
    };
    const bool starts_well = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0;
    if (starts_well && std::all_of(name.begin(), name.end(), fits)) continue;
    return base::fail(ErrorKind::bad_input, settings.file + ": environment",
                      "invalid variable name \"" + name + "\"", "letters, digits and _ only");
  }
  return {};
}

// Names of groups and extras become arguments of tools and parts of requirements: PEP 735, PEP 685.
base::Status check_names(const SourceSettings& settings) {
  const auto check = [&](const std::string& key, const std::vector<std::string>& names) -> base::Status {
    for (const auto& name : names) {
      const auto fits = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
      };
      if (!name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
          std::all_of(name.begin(), name.end(), fits)) {
        continue;
      }
      return base::fail(ErrorKind::bad_input, settings.file + ": " + key, "invalid name \"" + name + "\"",
                        "letters, digits, ., _ and - only");
    }
    return {};
  };
  BASE_TRY(check("python.groups", settings.python.groups));
  return check("python.extras", settings.python.extras);
}

base::Status read_python(TableReader& reader, PythonSettings& settings) {
  BASE_TRY(reader.read("dependencies", settings.dependencies));
  BASE_TRY(reader.read("groups", settings.groups));
  BASE_TRY(reader.read("extras", settings.extras));
  BASE_TRY(reader.read("project", settings.project));
  BASE_TRY(reader.read("image_packages", settings.image_packages));
  BASE_TRY(reader.read("program", settings.program));
  BASE_TRY(reader.read("version", settings.version));
  BASE_TRY(reader.read("refresh", settings.refresh));
  return reader.read_switch_or_modules("preload", settings.preload);
}

base::Status read_go(TableReader& reader, GoSettings& settings) {
  BASE_TRY(reader.read("package", settings.package));
  BASE_TRY(reader.read("tags", settings.tags));
  BASE_TRY(reader.read("ldflags", settings.ldflags));
  return reader.read("environment", settings.environment);
}

base::Result<SourceSettings> read_table(const Value& table, const std::string& file,
                                        const std::string& prefix) {
  SourceSettings settings;
  settings.file = file;
  TableReader reader(table, file, prefix);
  BASE_TRY(reader.read("language", settings.language));
  BASE_TRY(reader.read("arguments", settings.arguments));
  BASE_TRY(reader.read("environment", settings.environment));
  BASE_TRY(
      reader.read_table("python", [&](TableReader& python) { return read_python(python, settings.python); }));
  settings.go.file = file;
  BASE_TRY(reader.read_table("go", [&](TableReader& go) { return read_go(go, settings.go); }));
  BASE_TRY(reader.finish());
  BASE_TRY(check_environment(settings));
  BASE_TRY(check_names(settings));
  return settings;
}

}  // namespace

base::Result<SourceSettings> read_source_settings(const fs::path& source) {
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
                      "and [tool.pachbuild] of pyproject.toml both have settings", "keep one of them");
  }
  if (own_file) {
    BASE_TRY_ASSIGN(const Value own, data::read_toml(source / k_file, k_file));
    return read_table(own, k_file, "");
  }
  if (table.exists()) return read_table(table, k_project_file, "tool.pachbuild.");
  return settings;
}

}  // namespace builder
