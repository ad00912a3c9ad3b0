// SPDX-License-Identifier: Apache-2.0
// What a command line of go builds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pachbuild/starter/image_files.h"

namespace starter {

// The paths in the image of the programs that `go build` or `go install` makes of `files` when it runs in
// `folder`, or of the folder that they come into; none for other verbs of what a build does by itself.
// std::nullopt if the words are not a go command.
std::optional<std::vector<std::string>> read_go_step(const std::vector<std::string>& words,
                                                     const std::string& folder, const ImageFiles& files);

}  // namespace starter
