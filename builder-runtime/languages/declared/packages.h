// SPDX-License-Identifier: Apache-2.0
// What a layer has, for build.json: the packages that were installed, and the shared libraries that its
// programs want.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/layer_tree.h"

namespace builder::declared {

// "name version", sorted, each once. Of files of the layer, or, where it has none that is meant, of the
// source.
base::Result<std::vector<std::string>> list_packages(const PackagesDescription& packages,
                                                     const LayerTree& tree, const SourceFiles& source);

// Of the programs in its bin/.
base::Result<std::vector<std::string>> list_libraries(const LayerTree& tree);

}  // namespace builder::declared
