// SPDX-License-Identifier: Apache-2.0
// Makes a layer: the steps of [[layer]], in a folder that becomes a bundle.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/languages/declared/layer_inputs.h"
#include "builder-runtime/tools.h"

namespace builder::declared {

// What is the same for each layer of a build.
struct LayerContext {
  std::shared_ptr<const Facts> facts;
  const Tools* tools = nullptr;
};

// `below` is null where the layer lies on none. `variables` is the content of the bundle's file of variables;
// empty: it has none.
base::Result<MadeTree> make_layer(const LayerContext& context, const PlannedLayer& planned,
                                  const fs::path& tree, const LayerBelow* below,
                                  const std::string& variables);

// The words of the commands as they would be run, with the names of places in braces: for people.
std::vector<std::vector<std::string>> shown_commands(const Facts& facts, const PlannedLayer& planned);

}  // namespace builder::declared
