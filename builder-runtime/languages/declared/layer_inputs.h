// SPDX-License-Identifier: Apache-2.0
// Which layers are to be made of a source, and what each is made of: its inputs and, of these, its key.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/declared/facts.h"
#include "builder-runtime/languages/declared/tool_use.h"
#include "builder-runtime/tools.h"

namespace builder::declared {

struct PlannedLayer {
  const LayerDescription* what = nullptr;
  std::string manifest;
  std::string reason;      // why it is not made; empty: it is
  Inputs inputs;           // with those of the layer below it
  std::string key;         // of these
  bool is_second = false;  // it is laid on the one before it
};

// What the builder itself is: its files but those that only images and readers need.
struct BuilderFiles {
  SourceFiles files;
  std::string digest;
};
base::Result<BuilderFiles> read_builder_files(const fs::path& folder);

// All of them in the order of the file; of alternatives one at most is to be made.
base::Result<std::vector<PlannedLayer>> plan_layers(const Facts& facts, const BuilderFiles& builder,
                                                    const std::vector<FoundTool>& found, const Tools& tools);

// The files of the source that a layer is made of.
std::vector<SourceFile> files_of_layer(const LayerDescription& layer, const std::string& manifest,
                                       const SourceFiles& files);

}  // namespace builder::declared
