// SPDX-License-Identifier: Apache-2.0
#include "contract/build_record.h"

#include <nlohmann/json.hpp>

#include "contract/own_json.h"

namespace contract {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Platform, os, architecture, libc, interpreter)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Program, name, chosen)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StartFolder, folder, is_default)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Bundle, file, digest, bytes, unpacked_bytes, files)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BuildRecord, builder, version, key, platform, bundles, command,
                                   environment, packages, requirements, libraries)

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
  if (!record.modules.empty()) json["modules"] = record.modules;
  if (!record.files.empty()) json["files"] = record.files;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

base::Result<BuildRecord> parse_build_record(const std::string& text, const std::string& where) {
  using base::ErrorKind;
  const auto json = parse_own_json(text);
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
  try {
    auto record = json.get<BuildRecord>();
    // Of an artifact only: the cache's own records have none of these.
    record.program = json.value("program", record.program);
    record.starts_in = json.value("starts_in", record.starts_in);
    record.files = json.value("files", record.files);
    record.modules = json.value("modules", record.modules);
    return record;
  } catch (const nlohmann::json::exception& error) {
    return base::fail(ErrorKind::bad_input, where, std::string("is not a build record: ") + error.what());
  }
}

}  // namespace contract
