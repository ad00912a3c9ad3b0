// SPDX-License-Identifier: Apache-2.0
#include "contract/build_record.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "contract/own_json.h"

namespace contract {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Platform, os, architecture, libc, interpreter)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Program, name, chosen)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StartFolder, folder, is_default)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Bundle, file, digest, bytes, unpacked_bytes, files)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BuildRecord, builder, version, key, platform, bundles, command,
                                   environment, packages, requirements, libraries)

namespace {

using Json = nlohmann::json;

constexpr char k_any[] = "";  // stands for each key of a table whose keys are free

// A record that has one of everything.
Json whole_record() {
  BuildRecord record;
  for (auto* texts : {&record.command, &record.packages, &record.requirements, &record.libraries})
    texts->emplace_back();
  record.bundles.emplace_back();
  record.environment.emplace(k_any, "");
  Json whole = record;
  whole["program"] = record.program;
  whole["starts_in"] = record.starts_in;
  whole["modules"] = whole["imports"] = Json::array({""});
  whole["prepend"] = whole["files"] = {{k_any, ""}};
  return whole;
}

std::string kind_of(const Json& value) {
  if (value.is_string()) return "a string";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "true or false";
  if (value.is_array()) return "an array";
  return value.is_object() ? "an object" : "null";
}

// The first value of `given`, the value of `key`, that `whole` has of another kind or that is missing; else
// empty.
std::string difference(const Json& whole, const Json& given, const std::string& key) {
  if (kind_of(whole) != kind_of(given))
    return "\"" + key + "\" must be " + kind_of(whole) + ", not " + kind_of(given);
  if (whole.is_array()) {
    for (std::size_t i = 0; i < given.size(); ++i) {
      auto fault = difference(whole.front(), given[i], key + "[" + std::to_string(i) + "]");
      if (!fault.empty()) return fault;
    }
  } else if (whole.is_object()) {
    const std::string above = key.empty() ? "" : key + ".";
    const bool is_free = whole.contains(k_any);
    for (const auto& item : (is_free ? given : whole).items()) {
      const auto found = given.find(item.key());
      if (found == given.end()) return "missing key \"" + above + item.key() + "\"";
      auto fault = difference(is_free ? whole[k_any] : item.value(), *found, above + item.key());
      if (!fault.empty()) return fault;
    }
  }
  return {};
}

// What is wrong with the values of a record; else empty.
std::string fault_of(const Json& given) {
  auto whole = whole_record();
  // Of an artifact only: the cache's own records have none of these.
  for (const auto* key : {"program", "starts_in", "prepend", "files", "modules", "imports"}) {
    if (!given.contains(key)) whole.erase(key);
  }
  return difference(whole, given, "");
}

}  // namespace

std::pair<std::string, std::string> name_and_version(const std::string& package) {
  for (const std::string mark : {" @ ", "==", " "}) {
    const auto place = package.find(mark);
    if (place != std::string::npos) return {package.substr(0, place), package.substr(place + mark.size())};
  }
  return {package, ""};
}

std::string to_json(const BuildRecord& record) {
  nlohmann::json json = record;
  json["schema"] = k_build_record_schema;
  if (!record.program.name.empty()) json["program"] = record.program;
  if (!record.starts_in.folder.empty()) json["starts_in"] = record.starts_in;
  if (!record.prepend.empty()) json["prepend"] = record.prepend;
  if (!record.modules.empty()) json["modules"] = record.modules;
  if (!record.imports.empty()) json["imports"] = record.imports;
  if (!record.files.empty()) json["files"] = record.files;
  return base::json_lines(json);
}

base::Result<BuildRecord> parse_build_record(const std::string& text, const std::string& where) {
  using base::ErrorKind;
  const auto json = parse_own_json(text);
  if (json.is_discarded()) {
    return base::fail(ErrorKind::bad_input, where,
                      Json::accept(text) ? "has fractions or too many levels" : "is not valid JSON",
                      "build the source again");
  }
  if (!json.is_object()) return base::fail(ErrorKind::bad_input, where, "is not a JSON object");
  const auto schema = json.find("schema");
  if (schema == json.end() || !schema->is_number_integer()) {
    return base::fail(ErrorKind::bad_input, where, "has no schema number");
  }
  if (schema->get<std::int64_t>() != k_build_record_schema) {
    return base::fail(ErrorKind::bad_input, where,
                      "has schema " + schema->dump() + ", but this program reads schema " +
                          std::to_string(k_build_record_schema),
                      "use the same version of pachbuild to build and to run");
  }
  if (auto fault = fault_of(json); !fault.empty())
    return base::fail(ErrorKind::bad_input, where, std::move(fault));
  auto record = json.get<BuildRecord>();
  record.program = json.value("program", record.program);
  record.starts_in = json.value("starts_in", record.starts_in);
  record.prepend = json.value("prepend", record.prepend);
  record.files = json.value("files", record.files);
  record.modules = json.value("modules", record.modules);
  record.imports = json.value("imports", record.imports);
  return record;
}

}  // namespace contract
