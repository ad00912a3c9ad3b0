// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/values.h"

#include <algorithm>
#include <array>

#include "base/near.h"
#include "base/text.h"

namespace builder::declared {
namespace {

// Those with a ":" and a text behind it.
constexpr std::array<std::string_view, 3> k_with_argument = {"setting", "variable", "interpreter"};

tl::unexpected<base::Error> invalid_name(std::string what, std::string hint = {}) {
  return base::fail(base::ErrorKind::bad_input, "", std::move(what), std::move(hint));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> keys_of(const std::map<std::string, std::string>& table) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : table) keys.push_back(key);
  return keys;
}

}  // namespace

const Names& check_names() {
  static const Names names = {{"source", "program", "setting", "builder", "file", "files", "interpreter"}};
  return names;
}

const Names& words_names() {
  static const Names names = {{"program", "setting", "manifest", "file", "line", "column", "what"}};
  return names;
}

const Names& start_names() {
  static const Names names = {{"source", "program", "setting", "env", "interpreter"}};
  return names;
}

const Names& start_variable_names() {
  static const Names names = {{"source", "setting", "env"}};
  return names;
}

const Names& link_names() {
  static const Names names = {{"source"}};
  return names;
}

Names layer_names(const LayerDescription& layer, bool is_second) {
  Names names = {
      {"source", "program", "setting", "builder", "tree", "cache", "temporary", "jobs", "variable"}};
  if (layer.has_work_copy) {
    names.known.emplace_back("work");
  } else {
    names.reasons["work"] = "the layer needs work = \"copy\"";
  }
  if (is_second) {
    names.known.emplace_back("base");
  } else {
    names.reasons["base"] = "only the second layer has one below it";
  }
  if (!layer.manifest.empty()) {
    names.known.emplace_back("manifest");
  } else {
    names.reasons["manifest"] = "the layer needs manifest";
  }
  return names;
}

base::Status check_name(const Name& name, const Names& names,
                        const std::map<std::string, std::string>& settings) {
  const std::string shown = "{" + name.name + (name.argument.empty() ? "" : ":" + name.argument) + "}";
  const bool is_group = names.groups != nullptr && *names.groups && (*names.groups)->has_group(name.name);
  if (is_group && name.argument.empty()) return {};
  if (!contains(names.known, name.name)) {
    const auto reason = names.reasons.find(name.name);
    if (reason != names.reasons.end())
      return invalid_name("{" + name.name + "} is not allowed here", reason->second);
    auto known = names.known;
    if (names.groups != nullptr && *names.groups) {
      for (auto& group : (*names.groups)->groups()) {
        if (!contains(known, group)) known.push_back(std::move(group));
      }
    }
    return invalid_name("unknown name " + shown,
                        base::did_you_mean(name.name, known, "valid names: " + base::join(known, ", ")));
  }
  const bool needs_argument =
      std::find(k_with_argument.begin(), k_with_argument.end(), name.name) != k_with_argument.end();
  if (needs_argument == name.argument.empty())
    return invalid_name(needs_argument ? shown + " needs a name: {" + name.name + ":NAME}"
                                       : shown + " takes no name");
  if (name.name == "setting" && !settings.contains(name.argument)) {
    return invalid_name("no setting named " + base::quoted(name.argument),
                        base::did_you_mean(name.argument, keys_of(settings), "add it to [settings]"));
  }
  return {};
}

}  // namespace builder::declared
