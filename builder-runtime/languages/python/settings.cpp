// SPDX-License-Identifier: Apache-2.0
// [python] of a source's settings.
#include <algorithm>
#include <cctype>
#include <map>

#include "base/text.h"
#include "builder-runtime/languages/python/python.h"
#include "builder-runtime/source/table_reader.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

// "sklearn.linear_model"; letters of other alphabets are of Python's identifiers as well.
bool is_name_of_module(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c > 127; };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

// `true`, `false`, or modules, which are joined by commas.
base::Status read_switch_or_modules(TableReader& reader, const std::string& key, std::string& setting) {
  const Value& found = reader.at(key);
  if (found.is(Kind::boolean)) {
    bool is_on = false;
    BASE_TRY(reader.read(key, is_on));
    setting = is_on ? "true" : "false";
    return {};
  }
  if (found.exists() && !found.is(Kind::text) && !found.is(Kind::array))
    return reader.wrong_type(key, found, "true, false or a list");
  std::vector<std::string> names;
  BASE_TRY(reader.read(key, names));
  for (const auto& name : names) {
    if (!is_name_of_module(name)) {
      return base::fail(ErrorKind::bad_input, reader.place(found, key),
                        "invalid module name \"" + name + "\"",
                        "write true, or modules as after import: [\"pandas\", \"sklearn.metrics\"]");
    }
  }
  if (found.exists()) setting = names.empty() ? "false" : base::join(names, ",");
  return {};
}

base::Status read_refresh(TableReader& reader, const std::string& key, Refresh& setting) {
  static const std::map<std::string, Refresh> words = {
      {"never", Refresh::never}, {"daily", Refresh::daily}, {"always", Refresh::always}};
  BASE_TRY_ASSIGN(const Value* value, reader.take(key, Kind::text));
  if (value == nullptr) return {};
  const auto word = words.find(value->scalar);
  if (word == words.end()) {
    return base::fail(ErrorKind::bad_input, reader.place(*value, key),
                      "invalid value \"" + value->scalar + "\"", "expected never, daily or always");
  }
  setting = word->second;
  return {};
}

// Names of groups and extras become arguments of tools and parts of requirements: PEP 735, PEP 685.
base::Status check_names(const std::string& where, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto fits = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    };
    if (!name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
        std::all_of(name.begin(), name.end(), fits)) {
      continue;
    }
    return base::fail(ErrorKind::bad_input, where, "invalid name \"" + name + "\"",
                      "letters, digits, ., _ and - only");
  }
  return {};
}

}  // namespace

base::Status read_settings(TableReader& reader, SourceSettings& settings) {
  auto& python = settings.python;
  BASE_TRY(reader.read("dependencies", python.dependencies));
  BASE_TRY(reader.read("groups", python.groups));
  BASE_TRY(reader.read("extras", python.extras));
  BASE_TRY(reader.read("project", python.project));
  BASE_TRY(reader.read("image_packages", python.image_packages));
  BASE_TRY(reader.read("program", python.program));
  BASE_TRY(reader.read("version", python.version));
  BASE_TRY(read_refresh(reader, "refresh", python.refresh));
  BASE_TRY(read_switch_or_modules(reader, "preload", python.preload));
  BASE_TRY(reader.finish());
  BASE_TRY(check_names(reader.place(reader.at("groups"), "groups"), python.groups));
  return check_names(reader.place(reader.at("extras"), "extras"), python.extras);
}

}  // namespace builder::python
