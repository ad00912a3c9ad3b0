// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/declared.h"

#include <algorithm>

#include "base/text.h"
#include "builder-runtime/languages/declared/checks.h"
#include "builder-runtime/languages/declared/explanation.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/languages/declared/layer_inputs.h"
#include "builder-runtime/languages/declared/layers.h"
#include "builder-runtime/languages/declared/reader.h"
#include "builder-runtime/languages/declared/start.h"
#include "contract/builders.h"

namespace builder::declared {
namespace {

using Builder = std::shared_ptr<const Description>;

bool is_remade_by_each_edit(const LayerDescription& layer) {
  const auto is_wide = [](const FilePattern& pattern) { return pattern.is_wide() || pattern.text() == "."; };
  return std::any_of(
             layer.inputs.begin(), layer.inputs.end(),
             [&](const Reference& reference) { return !reference.is_value && is_wide(reference.files); }) ||
         std::any_of(layer.copy.begin(), layer.copy.end(),
                     [&](const CopyDescription& copy) { return is_wide(copy.from); });
}

std::vector<Layer> layers_of(const LayerContext& context, const std::vector<PlannedLayer>& planned) {
  std::vector<Layer> layers;
  for (const auto& one : planned) {
    if (!one.reason.empty()) continue;
    const bool is_last =
        &one == &planned.back() || std::all_of(&one + 1, planned.data() + planned.size(),
                                               [](const auto& next) { return !next.reason.empty(); });
    const std::string variables = is_last ? bundle_variables_text(*context.facts) : std::string();
    layers.push_back(
        {.key = one.key,
         .is_remade_by_each_edit = is_remade_by_each_edit(*one.what),
         .make = [context, one, variables](
                     const fs::path& tree) { return make_layer(context, one, tree, nullptr, variables); },
         .make_over =
             [context, one, variables](const fs::path& tree, const LayerBelow& below) {
               return make_layer(context, one, tree, &below, variables);
             }});
  }
  return layers;
}

// "R 4.2.2": what of the image the program is started by.
std::string interpreter_of_image(const Start& start, const std::vector<FoundTool>& found, bool has_bundle) {
  if (start.command.empty()) return "";
  for (const auto& tool : found) {
    if (tool.name == start.command.front())
      return tool.name + (tool.version.empty() ? "" : " " + tool.version);
  }
  // A bundle brings its own, or says nothing of it.
  return has_bundle || base::contains(start.command.front(), '/') ? "" : start.command.front();
}

// One that a layer makes has a name only once it is made, unless somebody has chosen it.
contract::Program program_of(const Facts& facts) {
  const auto& layers = facts.builder->layers;
  const bool is_made =
      std::any_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.program.has_value(); });
  if (!is_made || facts.needs_no_program) return facts.program;
  if (facts.made_program.empty()) return {"main", "the only program built"};
  return {facts.made_program, facts.program.chosen};
}

base::Result<Plan> plan_of(const std::shared_ptr<const Facts>& facts, const Tools& tools) {
  BASE_TRY_ASSIGN(const auto found, find_tools(*facts, tools));
  BASE_TRY_ASSIGN(const BuilderFiles builder, read_builder_files(facts->builder->folder));
  BASE_TRY_ASSIGN(auto layers, plan_layers(*facts, builder, found, tools));
  Plan plan;
  // That of the last layer covers those below it.
  for (const auto& layer : layers) {
    if (!layer.reason.empty()) continue;
    plan.inputs = layer.inputs;
    plan.key = layer.key;
  }
  BASE_TRY_ASSIGN(plan.start, start_of(*facts, !plan.key.empty()));
  plan.platform = {.os = "linux", .architecture = architecture()};
  plan.platform.interpreter = interpreter_of_image(plan.start, found, !plan.key.empty());
  plan.program = program_of(*facts);
  plan.checks = [facts, digest = builder.digest, found, &tools] {
    return run_checks(*facts, digest, found, tools);
  };
  plan.explanation = [facts, digest = builder.digest, found, layers, start = plan.start, &tools] {
    return explanation_of(*facts, digest, found, layers, start, tools);
  };
  plan.layers = [context = LayerContext{facts, &tools}, layers = std::move(layers)] {
    return base::Result<std::vector<Layer>>(layers_of(context, layers));
  };
  return plan;
}

base::Result<Findings> look(const Builder& builder, const Source& source,
                            const process::Environment& environment) {
  BASE_TRY_ASSIGN(auto looked, look_at(builder, source, environment));
  auto facts = std::make_shared<const Facts>(std::move(looked));
  std::string summary = base::count_of(facts->files.all().size(), "file");
  return Findings{std::move(summary), [facts](const Tools& tools) { return plan_of(facts, tools); }};
}

std::string usual_file_of(const DetectDescription& detect) {
  for (const auto* references : {&detect.any, &detect.program}) {
    for (const auto& reference : *references) {
      if (!reference.is_value) return reference.text;
    }
  }
  return {};
}

}  // namespace

base::Result<std::shared_ptr<const Language>> language_of_folder(const fs::path& folder) {
  BASE_TRY_ASSIGN(auto description, read_builder(folder, names_of_languages()));
  auto builder = std::make_shared<const Description>(std::move(description));
  Language language;
  language.name = builder->language;
  for (const auto& reference : builder->detect.any) language.markers.push_back(reference.text);
  language.usual_file = usual_file_of(builder->detect);
  language.may_be = [builder](const fs::path& source) { return recognises(*builder, source); };
  language.look = [builder](const Source& source, const process::Environment& environment) {
    return look(builder, source, environment);
  };
  return std::make_shared<const Language>(std::move(language));
}

base::Result<std::shared_ptr<const Language>> installed_language(const fs::path& builders,
                                                                 const std::string& name) {
  const fs::path folder = builders / name;
  BASE_TRY_ASSIGN(auto language, language_of_folder(folder));
  if (language->name == name) return language;
  return base::fail(base::ErrorKind::bad_input, (folder / contract::k_builder_file).string(),
                    "is for the language " + language->name + ", not " + name,
                    "name an installed builder's folder after its language");
}

}  // namespace builder::declared
