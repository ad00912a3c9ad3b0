// SPDX-License-Identifier: Apache-2.0
// Specs that are made by a program in jsonnet, as `pachctl --jsonnet` takes them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace spec {

// The JSON that the template `text` of `file` stands for. `arguments` are "KEY=VALUE", texts for the function
// that it is. It is not trusted: it can read no file.
base::Result<std::string> evaluate(const std::string& text, const std::string& file,
                                   const std::vector<std::string>& arguments);

}  // namespace spec
