// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/near.h"
#include "base/text.h"
#include "contract/pipeline_names.h"
#include "pachbuild/spec/input.h"
#include "pachbuild/starter/readme.h"
#include "pachbuild/starter/starter.h"
#include "pachbuild/starter/starter_files.h"

namespace starter {
namespace {

using base::ErrorKind;
using nlohmann::json;

struct Language {
  std::string name;
  std::string shown;
  std::string program;
  std::string packages;  // where to list what the program needs
};

const std::vector<Language>& all_languages() {
  static const std::vector<Language> k_all = {
      {"python", "Python", "main.py", "Packages go into `source/requirements.txt`, one per line."},
      {"go", "Go", "main.go", "Packages go into `source/go.mod`: `go get PACKAGE` in `source` adds them."}};
  return k_all;
}

// Null for one without a sample.
const Language* find_language(const std::string& name) {
  const auto& all = all_languages();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Language& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// The fields in the order in which people write them.
nlohmann::ordered_json in_order(const json& value) {
  if (value.is_array()) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& item : value) list.push_back(in_order(item));
    return list;
  }
  if (!value.is_object()) return value;
  auto object = nlohmann::ordered_json::object();
  for (const char* field : {"pipeline", "description", "transform", "input", "build", "language", "path",
                            "cmd", "name", "repo"}) {
    if (value.contains(field)) object[field] = in_order(value.at(field));
  }
  for (const auto& [field, item] : value.items()) {
    if (!object.contains(field)) object[field] = in_order(item);
  }
  return object;
}

}  // namespace

std::string filled_in(std::string_view file, const std::map<std::string, std::string>& values) {
  const auto& files = starter_files();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const StarterFile& each) { return each.name == file; });
  std::string text(found->content);
  for (const auto& [name, value] : values) base::replace_all(text, "@" + name + "@", value);
  return text;
}

std::string spec_text(const json& spec) { return base::json_lines(in_order(spec)); }

std::string as_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(base::shell_quote(word));
  return base::join(quoted, " ");
}

std::string language_title(const std::string& name) {
  const auto* const language = find_language(name);
  return language != nullptr ? language->shown : name;
}

const std::vector<std::string>& languages() {
  static const std::vector<std::string> k_names = [] {
    std::vector<std::string> names;
    for (const auto& language : all_languages()) names.push_back(language.name);
    return names;
  }();
  return k_names;
}

std::string pipeline_name_of(const base::fs::path& folder) {
  std::string name = base::normal_path(folder).filename().string();
  for (char& character : name) {
    if (!spec::is_name(std::string(1, character))) character = '-';
  }
  name = name.substr(std::min(name.find_first_not_of("-_"), name.size()));
  // What the default project allows.
  name = name.substr(0, contract::longest_pipeline_name(""));
  name = name.substr(0, name.find_last_not_of('-') + 1);
  return name.empty() ? "pipeline" : name;
}

base::Result<Start> sample_project(const std::string& language, const std::string& name) {
  const auto* const found = find_language(language);
  if (found == nullptr) {
    return base::fail(ErrorKind::usage, "--language " + language, "has no sample",
                      base::did_you_mean(language, languages(), "available languages: python and go"));
  }
  Start start;
  start.title = "a " + found->shown + " pipeline that counts words, with sample data";
  start.run = {"pachbuild", "run"};
  const json spec = {{"pipeline", {{"name", name}}},
                     {"description", "Counts the words of each text."},
                     {"transform", {{"build", {{"language", language}, {"path", "./source"}}}}},
                     {"input", {{"pfs", {{"repo", "texts"}, {"glob", "/*"}}}}}};
  start.project["pipeline.json"].content = spec_text(spec);
  constexpr std::string_view k_data = "data/";
  for (const auto& file : starter_files()) {
    const std::string path(file.name);
    if (path.starts_with(k_data))
      start.project["data/texts/" + path.substr(k_data.size())].content = file.content;
    if (path.starts_with(language + "/"))
      start.project["source" + path.substr(language.size())].content = file.content;
  }
  start.project["README.md"].content = filled_in("sample.md", {{"NAME", name},
                                                               {"LANGUAGE", found->shown},
                                                               {"PROGRAM", found->program},
                                                               {"RUN", as_line(start.run)},
                                                               {"PACKAGES", found->packages}});
  return start;
}

}  // namespace starter
