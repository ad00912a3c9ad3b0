// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/own_folder.h"

#include <nlohmann/json.hpp>

namespace local {
namespace {

using Json = nlohmann::json;

// Raise it when the meaning of the files changes.
constexpr int k_own_version = 1;
constexpr char k_maker[] = "pachbuild";

}  // namespace

std::string to_own_text(const Json& content) {
  return Json{{"made_by", k_maker}, {"version", k_own_version}, {"content", content}}.dump(1) + "\n";
}

Json from_own_text(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return nullptr;
  const auto maker = json.find("made_by");
  const auto version = json.find("version");
  const auto content = json.find("content");
  if (maker == json.end() || *maker != k_maker || version == json.end() || *version != k_own_version)
    return nullptr;
  return content == json.end() ? Json() : *content;
}

bool is_own_folder(const base::fs::path& folder) {
  if (folder.filename() != k_own_folder) return false;
  const auto text = base::read_file(folder / k_own_mark);
  return text && !from_own_text(*text).is_null();
}

base::Status check_reserved(const std::string& path) {
  if (path != k_own_folder && !path.starts_with(std::string(k_own_folder) + "/")) return {};
  return base::fail(base::ErrorKind::step_failed, "/pfs/out/" + path,
                    std::string("the name ") + k_own_folder + " is reserved for pachbuild",
                    "choose another name for the file");
}

}  // namespace local
