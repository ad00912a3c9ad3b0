// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/own_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "contract/own_json.h"

namespace local {
namespace {

using Json = nlohmann::json;

// Raise it when the meaning of the files changes.
constexpr int k_own_version = 1;
constexpr char k_maker[] = "pachbuild";
// One folder can have a few million outputs.
constexpr std::uint64_t k_largest_own_file = std::uint64_t{1} << 30;

}  // namespace

std::string to_own_text(const Json& content) {
  return Json{{"made_by", k_maker}, {"version", k_own_version}, {"content", content}}.dump(1) + "\n";
}

Json read_own_file(const base::fs::path& folder, const std::string& name) {
  const auto text = base::read_input_file(folder / name, k_largest_own_file);
  if (!text) return nullptr;
  const Json json = contract::parse_own_json(*text);
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
  return !read_own_file(folder, k_own_mark).is_null();
}

bool is_output_path(const std::string& path) {
  if (base::contains(path, '\0')) return false;
  const auto names = base::split(path, '/');
  const auto is_plain = [](const std::string& name) { return !name.empty() && name != "." && name != ".."; };
  return !names.empty() && std::all_of(names.begin(), names.end(), is_plain) && names.front() != k_own_folder;
}

base::Status check_reserved(const std::string& path) {
  if (path != k_own_folder && !path.starts_with(std::string(k_own_folder) + "/")) return {};
  return base::fail(base::ErrorKind::step_failed, "/pfs/out/" + path,
                    std::string("the name ") + k_own_folder + " is reserved for pachbuild",
                    "choose another name for the file");
}

}  // namespace local
