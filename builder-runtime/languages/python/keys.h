// SPDX-License-Identifier: Apache-2.0
// What has to change before packages are installed again, or their versions chosen again.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/python/resolution.h"

namespace builder::python {

struct Keys {
  std::string all;     // of everything that decides what is installed
  std::string choice;  // of everything that decides the versions; empty: they have to be chosen each time
};

// One key of several.
std::string joined_key(const std::vector<std::string>& parts);

// `digest` is that of the files that say what to install.
base::Result<Keys> keys_of(const Installation& installation, const std::string& digest);

// Of packages that these lines decide, with hashes.
base::Result<std::string> key_of_lines(const Installation& installation,
                                       const std::vector<std::string>& lines);

}  // namespace builder::python
