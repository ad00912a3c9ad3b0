// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/explanation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/checks.h"
#include "builder-runtime/languages/declared/layers.h"
#include "builder-runtime/languages/declared/start.h"
#include "builder-runtime/store/bundle_store.h"

namespace builder::declared {
namespace {

using Json = nlohmann::ordered_json;

Json tools_of(const std::vector<FoundTool>& found) {
  Json all = Json::array();
  for (const auto& tool : found) {
    Json one = {{"name", tool.name}, {"path", tool.path}};
    if (!tool.version.empty()) one["version"] = tool.version;
    if (!tool.wanted.empty()) one["wanted"] = tool.wanted;
    all.push_back(one);
  }
  return all;
}

Json checks_of(const Facts& facts, const std::vector<CheckState>& states) {
  Json all = Json::array();
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto& check = facts.builder->checks[i];
    Json patterns = Json::array();
    for (const auto& pattern : check.files) patterns.push_back(pattern.text());
    all.push_back({{"files", patterns},
                   {"by", check.reject ? "pattern" : "command"},
                   {"count", states[i].files},
                   {"changed", states[i].unknown}});
  }
  return all;
}

// Without those that the layer below has as well.
Json inputs_of(const Inputs& inputs, const Inputs* below) {
  const auto others = below == nullptr ? std::vector<ShownInput>() : below->shown();
  Json all = Json::array();
  for (const auto& input : inputs.shown()) {
    if (std::find(others.begin(), others.end(), input) != others.end()) continue;
    Json one = {{"kind", input.kind}, {"name", input.name}, {"value", input.text}, {"in_key", input.in_key}};
    if (!input.path.empty()) one["path"] = input.path;
    all.push_back(one);
  }
  return all;
}

Json layers_of(const Facts& facts, const std::vector<PlannedLayer>& layers, const BundleStore& store) {
  Json all = Json::array();
  const PlannedLayer* below = nullptr;
  for (const auto& layer : layers) {
    Json one = {{"name", layer.what->name}, {"made", layer.reason.empty()}};
    if (!layer.reason.empty()) {
      one["reason"] = layer.reason;
      all.push_back(one);
      continue;
    }
    if (!layer.manifest.empty()) one["manifest"] = layer.manifest;
    one["key"] = layer.key;
    one["cached"] = store.find(layer.key).bundle.has_value();
    one["commands"] = shown_commands(facts, layer);
    if (below != nullptr) one["over"] = below->what->name;
    one["inputs"] = inputs_of(layer.inputs, below == nullptr ? nullptr : &below->inputs);
    all.push_back(one);
    below = &layer;
  }
  return all;
}

// Also those that the bundle sets; "+NAME" comes first in a list.
Json variables_of(const Start& start) {
  Json all = start.environment;
  for (const auto& [name, value] : start.prepend) all["+" + name] = value;
  for (const auto& [name, value] : start.bundle_variables) all[name] = value;
  return all;
}

}  // namespace

base::Result<std::string> explanation_of(const Facts& facts, const std::string& builder_digest,
                                         const std::vector<FoundTool>& found,
                                         const std::vector<PlannedLayer>& layers, const Start& start,
                                         const Tools& tools) {
  const auto& builder = *facts.builder;
  BASE_TRY_ASSIGN(const auto states, state_of_checks(facts, builder_digest, found, tools));
  Json program = Json::object();
  if (!facts.program.name.empty()) program["program"] = facts.program.name;
  if (!facts.program.chosen.empty()) program["chosen"] = facts.program.chosen;
  if (facts.no_program) program["no program"] = facts.no_program->what;
  Json json = {
      {"builder",
       {{"language", builder.language}, {"summary", builder.summary}, {"folder", builder.folder.string()}}},
      {"detected", program},
      {"settings", facts.settings},
      {"tools", tools_of(found)},
      {"checks", checks_of(facts, states)},
      {"layers", layers_of(facts, layers, BundleStore(tools.settings().cache / builder.language))},
      {"start",
       {{"command", start.command}, {"folder", start.folder}, {"environment", variables_of(start)}}}};
  return base::json_lines(json);
}

}  // namespace builder::declared
